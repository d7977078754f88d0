"""The guards of the distributed runtime taken out, one at a time: each hazard then shows itself on a real broker.

`python -m tests.mutants --guards` tries them; that takes minutes, so `make test` runs the hazards with the guards in place.
"""

from tests.mutants.bench import Mutant

HAZARDS = ("tests/worker/test_hazards.py",)
DRIVER, FAUST, PLAIN = (f"coordwatch/worker/{name}.py" for name in ("driver", "faust_app", "plain"))
OFFSETS, RESTORE, TRANSACTION = (f"coordwatch/worker/{name}.py" for name in ("offsets", "restore", "transaction"))
TRANSPORT = "coordwatch/worker/transport.py"

GUARDS = (
    Mutant("offsets without the generation: no fence", TRANSACTION, "member.metadata(), _PATIENCE", 'Member(member.group, -1, "").metadata(), _PATIENCE', HAZARDS, "paused_worker_cannot"),
    Mutant("a paused worker without transactions does not look at its clock", TRANSACTION, "if stood > 0.6 * self._session:", "if stood > 600 * self._session:", HAZARDS, "without_transactions and faust"),
    Mutant("restored to the last stable offset", RESTORE, "asking = readers.reader(committed=False)", "asking = readers.reader(committed=True)", HAZARDS, "left_open"),
    Mutant("Faust goes on after a step that raised", FAUST, "                # Faust would acknowledge the message of a handler that raised, and go on.\n                die(unforeseen(self.driver.stage.role, error))", "                self.log.error('%r', error)", HAZARDS, "raises and faust"),
    Mutant("what was fetched counts as taken", DRIVER, "self.delivered = dict(self.positions)", "self.positions = {place: max(at, self.delivered.get(place, at)) for place, at in self.positions.items()}", ("tests/worker/test_driver.py",), "fetched_and_not_taken"),
    Mutant("a commit that has begun loses its membership", DRIVER, "self.way.commit(ready.outputs, ready.offsets, ready.member)", "assert self.member is not None\n        self.way.commit(ready.outputs, ready.offsets, self.member)", ("tests/worker/test_driver.py",), "under_its_own"),
    Mutant("an end is told of a partition that has gone", DRIVER, "if place in self.positions and offset >= self.delivered[place]:", "if offset >= self.delivered.get(place, offset):", ("tests/worker/test_driver.py",), "who_has_gone"),
    Mutant("a fetch goes on into the next assignment", TRANSPORT, " or plane.assignments != assignment", "", ("tests/worker/test_transport.py",)),
    Mutant("ends outlive the assignment in which they were reached", TRANSPORT, "        self.consumer.reached.clear()\n", "", ("tests/worker/test_transport.py",)),
    Mutant("a commit without records carries no offset", DRIVER, "offsets or dict(self.positions), self.member)", "offsets, self.member)", HAZARDS, "only_ticks and faust"),
    Mutant("a record too large is tried for ever", TRANSACTION, "if refused.code() in _TOO_LARGE:", "if False:", HAZARDS, "too_large and faust"),
    Mutant("nobody watches a step that hangs", "coordwatch/worker/watchdog.py", "if why is not None:", 'if why == "":', HAZARDS, "hangs"),
    Mutant("a slice is taken whole, however long that takes", DRIVER, "records.parts(_PART)", "records.parts(len(records) or 1)", HAZARDS, "heavy_records"),
    Mutant("who was asked to end may hang", "coordwatch/worker/watchdog.py", "if now > give_up_at:", "if False:", HAZARDS, "hangs_ends_all_the_same"),
    Mutant("deleted records are jumped over", OFFSETS, "return offset if offset >= low else self._after_loss(place, offset, low, accept_loss)", "return max(offset, low)", HAZARDS, "deleted_by_retention"),
    Mutant("a state of a newer version is begun anew", DRIVER, '            raise Ending(ExitCode.BROKEN, f"the state of {place} cannot be used: {error}") from error', "            fence = self.stage.assign(place, {})", HAZARDS, "newer_version"),
    Mutant("keys lie where librdkafka likes them", "coordwatch/adapters/kafka/access.py", 'PARTITIONER = "murmur2_random"', 'PARTITIONER = "consistent_random"', ("tests/kafka/test_partitioner.py",)),
)  # fmt: skip
