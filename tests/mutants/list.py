"""The breakages: each is a mistake that somebody could make, at a place that one numbered statement or law guards."""

from tests.mutants.bench import Mutant

SEARCH = "coordwatch/rules/search.py"
STATES = "coordwatch/rules/states.py"
EVALUATE = "coordwatch/rules/evaluate.py"
KEYS = "coordwatch/rules/keys.py"
STEP = "coordwatch/engine/step.py"
VERDICTS = "coordwatch/engine/verdicts.py"
JOURNAL = "coordwatch/context/journal.py"

HOPS = "coordwatch/identity/hops/"
NODES, GROUPS, ANCHORS = f"{HOPS}nodes.py", f"{HOPS}groups.py", f"{HOPS}anchors.py"
INTRODUCTION, WAITING = f"{HOPS}introduction.py", f"{HOPS}waiting.py"
RESOLVING = "coordwatch/processor/resolving.py"

CONVERGENCE = ("tests/laws/test_convergence.py",)
RUNNING = ("tests/statements/test_32_to_36_running.py", "tests/statements/test_what_is_counted.py")
IDENTITY = ("tests/identity/hops",)
RESOLVED = ("tests/processor/test_resolving.py", "tests/processor/test_resolving_laws.py")

MUTANTS = (
    Mutant("an event exactly W old is inside the window", SEARCH, "if time <= start:\n                return", "if time < start:\n                return"),
    Mutant("an event exactly at the end of the grace is outside", SEARCH, "if time <= end and self._free", "if time < end and self._free"),
    Mutant("the deadline instant is outside", EVALUATE, "late[TIME] <= search.deadline", "late[TIME] < search.deadline"),
    Mutant("a deadline may lie before its act", EVALUATE, "return max(min(deadlines), act[TIME])", "return min(deadlines)"),
    Mutant("within and by: the later deadline counts", EVALUATE, "max(min(deadlines)", "max(max(deadlines)"),
    Mutant("an event late by exactly the repair is lost", SEARCH, "end = deadline + expect.repair\n", "end = deadline + expect.repair - 1\n"),
    Mutant("one repaired binding makes all good", EVALUATE, "all(violation.late is not None", "any(violation.late is not None"),
    Mutant("at_least wants one more", SEARCH, "len(values)) >= step.at_least", "len(values)) > step.at_least"),
    Mutant("since leaves the step's own instant out", SEARCH, "max(start, self._since(step.since) - 1)", "max(start, self._since(step.since))"),
    Mutant("since on unless leaves the step's own instant out", SEARCH, "start = self._since(step.since) - 1", "start = self._since(step.since)"),
    Mutant("since on unless ends with the act, not the deadline", SEARCH, "end = self.time if self.deadline is None else self.deadline", "end = self.time"),
    Mutant("one event plays two parts", SEARCH, "return all(self.env[step.at] is not fact for step in self.rule.singles)", "return True"),
    Mutant("the act is evidence for itself", SEARCH, "if fact is self.act:\n            return False", "if fact is None:\n            return False"),
    Mutant("the oldest binding is named", EVALUATE, "max(found, key=Violation.key)", "min(found, key=Violation.key)"),
    Mutant("a key value left over from another binding", SEARCH, "            self.env[step.at] = None\n        return self._single(0, bound)", "            pass\n        return self._single(0, bound)"),
    Mutant("a missing key equals every key", KEYS, "if value is None:\n            return False", "if value is None:\n            continue"),
    Mutant("true is the key value 1", "coordwatch/context/fact.py", "return _TRUE if value else _FALSE", "return 1 if value else 0"),
    Mutant("unless takes any value of a bound key", KEYS, "if key in bound.positive:", "if key in bound.positive and take.where is None and False:"),
    Mutant("at one instant closings come first", STATES, "_OPENING, _REOPENING, _CLOSING = 0, 1, 2", "_OPENING, _REOPENING, _CLOSING = 2, 1, 0"),
    Mutant("a closing exactly D old still lingers", SEARCH, "episode.closed_at > time - linger", "episode.closed_at >= time - linger"),
    Mutant("an opening exactly G old is too fresh", SEARCH, "episode.begin[TIME] > time - state.grace", "episode.begin[TIME] >= time - state.grace"),
    Mutant("a state holds at the instant it expires", SEARCH, "return time < episode.end or", "return time <= episode.end or"),
    Mutant("the last closing ends an episode, not the first", STATES, "if episode.is_live(time) and any(", "if any("),
    Mutant("of facts at one instant the first decides", SEARCH, "elif fact[TIME] == known[0][TIME]:", "elif False:"),
    Mutant("a fact older than its window is seen", SEARCH, "if fact[TIME] <= start or (fact[ID]", "if fact[TIME] < start or (fact[ID]"),
    Mutant("a duplicate is another event", JOURNAL, "        known = kept.get(name)\n", "        known = None\n        name = (*name, len(kept))\n"),
    Mutant("a second content replaces the first", JOURNAL, "        else:\n            conflicts += 1", "        else:\n            kept[name] = fact"),
    Mutant("of observed_at the largest counts", JOURNAL, "if fact[OBSERVED] >= known[OBSERVED]:", "if fact[OBSERVED] <= known[OBSERVED]:", RUNNING),
    Mutant("a detection that falls is not retracted", VERDICTS, "if stood and old is not None:", "if False:", RUNNING + CONVERGENCE),
    Mutant("a late cause is not looked at", STEP, "yield from acts[start:]", "yield from ()", CONVERGENCE),
    Mutant("an expected event that comes late changes nothing", STEP, "if (rule.id, act[SOURCE], act[ID]) in state.entries:", "if False:", RUNNING + CONVERGENCE),
    Mutant("a late fact judges nobody again", "coordwatch/engine/batch.py", "if latest >= fact[TIME]}", "if latest < fact[TIME]}", RUNNING),
    Mutant("an absence is told before it is proven", EVALUATE, "if deadline > proven:", "if False:", RUNNING),
    Mutant("a deadline is forgotten by a restart", "coordwatch/engine/state.py", "for name, entry in state.entries.items()],", "for name, entry in state.entries.items() if entry.outcome is not Outcome.PENDING],", CONVERGENCE + RUNNING),
    Mutant("a changed rule keeps its old deadlines", STEP, "if revision is None or entry.outcome not in STANDING:", "if revision is None:", RUNNING),
    Mutant("evidence as old as the grace was in flight", "coordwatch/engine/detect.py", "if known_for < grace else", "if known_for <= grace else", RUNNING),
    Mutant("a closing edge is one microsecond late", "coordwatch/rules/calendars.py", "if closes - opens >= length:\n            return opens + length", "if closes - opens > length:\n            return opens + length"),
    Mutant("identity: a stale answer is believed", NODES, "if edge is None or told.version <= edge.version:", "if edge is None:", IDENTITY),
    Mutant("identity: who asks is told only of the next change", NODES, "if given != node.version == before:", "if False:", IDENTITY),
    Mutant("identity: who is met later in a class is not asked", NODES, "elif slot != BELOW and int(slot) < node.open and not edge.asked:", "elif False:", IDENTITY),
    Mutant("identity: a follower asks only whom it needs itself", NODES, "while node.open <= node.kind.rank.id_class:", "while False:", IDENTITY),
    Mutant("identity: a follower keeps news to itself", NODES, "if node.follows and slot not in (BELOW, REFS):", "if False:", IDENTITY),
    Mutant("identity: a follower's cookies are not counted", NODES, "if node.follows and node.people <=", "if False and node.people <=", IDENTITY),
    Mutant("identity: the first half of what is lent arrives", NODES, "for at in range(_LENT_AT_ONCE, len(above), _LENT_AT_ONCE):", "for at in ():", IDENTITY),
    Mutant("identity: a follower is told nothing", NODES, "for child in self.rows.held(node.digest, CHILD):", "for child in ():", IDENTITY),
    Mutant("identity: an old key leads to whom it led first", NODES, "if node.minted and answer.root != old.root:", "if old.root == node.digest and answer.root != old.root:", IDENTITY),
    Mutant("identity: what a first life told holds in the second", NODES, "self._hear(edge, gone.sender, 0, UNKNOWN)\n", "\n", IDENTITY),
    Mutant("identity: a ref that is gone takes its next life along", NODES, "if edge is not None and edge.seen <= gone.seen:", "if edge is not None:", IDENTITY),
    Mutant("identity: nobody is told that a ref is gone", NODES, "self.send(other, Gone(node.digest, node.seen))", "pass", IDENTITY),
    Mutant("identity: a ref forgets on whom it rests", NODES, "if node.answer.layer and seen // DAY > node.seen // DAY:", "if False:", IDENTITY),
    Mutant("identity: a hash may lead its address", GROUPS, "return kind.type in EMAIL_HASHES, digest", "return False, digest", IDENTITY),
    Mutant("identity: a link stays where it arrives", GROUPS, "nodes.send(node.leader, Link(node.leader_kind or node.kind, other))", "pass", IDENTITY),
    Mutant("identity: who leads later lends nothing on", GROUPS, "if node.leader is not None and not node.follows:", "if False:", IDENTITY),
    Mutant("identity: nothing is asked for again", ANCHORS, "self._effects.append(Reask(customer, node.digest, None))", "pass", IDENTITY),
    Mutant("identity: a neighbour's change concerns nobody", ANCHORS, "self._effects.append(Reask(customer, node.digest, other))", "pass", IDENTITY),
    Mutant("identity: without a customer only equals count", ANCHORS, "is node.kind.rank.id_class or node.answer.root is None", "is node.kind.rank.id_class", IDENTITY),
    Mutant("identity: every edge has a past", ANCHORS, "was = UNKNOWN if edge.guessed and before is None else before", "was = before or UNKNOWN", IDENTITY),
    Mutant("identity: a guess is never looked at again", ANCHORS, "was = UNKNOWN if edge.guessed and before is None else before", "was = before", IDENTITY),
    Mutant("identity: what waits does not hear its answer", ANCHORS, "moves(was, edge.answer):\n            for customer in self._rows.held(node.digest, CUSTOMER):\n                self._effects.append(Reask(customer, node.digest, other))\n        self._again(node, self._waits.naming(node.digest, other))", "moves(was, edge.answer):\n            for customer in self._rows.held(node.digest, CUSTOMER):\n                self._effects.append(Reask(customer, node.digest, other))", IDENTITY),
    Mutant("identity: what is parked is not released", ANCHORS, "        self._again(node, self._waits.at(node.digest))", "        pass", IDENTITY),
    Mutant("identity: nobody is waited for", ANCHORS, "awaited = tuple(one.digest for one in self._silent(matter))", "awaited = ()", IDENTITY),
    Mutant("identity: an anchor waits for ever new answers", ANCHORS, "if waiting.why is not None or silent.isdisjoint(waiting.awaited):", "if not silent:", RESOLVED),
    Mutant("identity: where it was filed is not remembered", ANCHORS, "self._rows.put(node.digest, CUSTOMER, customer, pack([VERSION]))", "pass", IDENTITY),
    Mutant("identity: a set with a forgotten ref is known", INTRODUCTION, "edge.stood_in(name) and all(matter.knows(nodes.rows, one) for one in among)", "edge.stood_in(name)", IDENTITY),
    Mutant("identity: who is back is not asked anew", NODES, "if edge.asked:\n                self.ask(node, gone.sender, edge)", "if False:\n                self.ask(node, gone.sender, edge)", IDENTITY),
    Mutant("identity: everything is introduced each time", INTRODUCTION, "if others and not new:\n        return", "if False:\n        return", IDENTITY),
    Mutant("identity: persons hear of each message", INTRODUCTION, "((persons, persons), (refs, matter.others))", "((persons, matter.others), (refs, matter.others))", IDENTITY),
    Mutant("identity: a copy is seen when it came", WAITING, "if event.observed_at < kept.observed_at:", "if False:", IDENTITY),
    Mutant("identity: what waits for an answer is given up", WAITING, "if waiting is None or waiting.why is None or", "if waiting is None or", IDENTITY),
    Mutant("identity: two levels prove a filing", "coordwatch/processor/levels.py", "HOPS = 3", "HOPS = 2", RESOLVED),
    Mutant("identity: levels stand before what they speak of", RESOLVING, "outputs += self.levels.give(topics, now)", "outputs = self.levels.give(topics, now) + outputs", RESOLVED),
    Mutant("identity: one partition speaks for all", "coordwatch/processor/levels.py", "if len(said) == self._partitions else None", "if said else None", RESOLVED),
    Mutant("identity: a record is taken twice", RESOLVING, "if part.fence is not None and offset < part.fence:", "if False:", RESOLVED),
    Mutant("identity: what time gave up is not committed", RESOLVING, "self.taken = self.hops.expire(now - settings.lateness) or self.taken", "self.hops.expire(now - settings.lateness)", RESOLVED),
    Mutant("the clock leaves its own instant out", "coordwatch/engine/gather.py", "time > until", "time >= until"),
)  # fmt: skip
