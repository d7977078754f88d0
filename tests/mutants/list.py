"""The breakages: each is a mistake that somebody could make, at a place that one numbered statement or law guards."""

from tests.mutants.bench import Mutant

SEARCH = "coordwatch/rules/search.py"
STATES = "coordwatch/rules/states.py"
EVALUATE = "coordwatch/rules/evaluate.py"
KEYS = "coordwatch/rules/keys.py"
STEP = "coordwatch/engine/step.py"
VERDICTS = "coordwatch/engine/verdicts.py"
JOURNAL = "coordwatch/context/journal.py"

ARRIVALS = "coordwatch/engine/arrivals.py"
FOLDERS = "coordwatch/engine/folders.py"
INTAKE = "coordwatch/processor/detecting/intake.py"
PARTITION = "coordwatch/processor/detecting/partition.py"
CUSTOMERS = "coordwatch/processor/detecting/customers.py"

CONVERGENCE = ("tests/laws/test_convergence.py",)
STAGE = ("tests/detecting",)
RUNNING = ("tests/statements/test_32_to_36_running.py", "tests/statements/test_what_is_counted.py")

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
    Mutant("one event plays two parts", SEARCH, "if env[step.at] is fact:", "if False:"),
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
    Mutant("a deadline is forgotten by a restart", FOLDERS, "self.tell(folder, entries.items())", "self.tell(folder, [one for one in entries.items() if one[1].outcome is not Outcome.PENDING])", CONVERGENCE + RUNNING),
    Mutant("a changed rule keeps its old deadlines", STEP, "if revision is None or entry.outcome not in STANDING:", "if revision is None:", RUNNING),
    Mutant("evidence as old as the grace was in flight", "coordwatch/engine/detect.py", "if known_for < grace else", "if known_for <= grace else", RUNNING),
    Mutant("a closing edge is one microsecond late", "coordwatch/rules/calendars.py", "if closes - opens >= length:\n            return opens + length", "if closes - opens > length:\n            return opens + length"),
    Mutant("the clock leaves its own instant out", "coordwatch/engine/gather.py", "time > until", "time >= until"),
    Mutant("evidence that comes late is passed over", ARRIVALS, "(is_late and present & self.late)", "False", CONVERGENCE),
    Mutant("an act that waits is passed over", ARRIVALS, "return bool(said & self.waited or", "return bool(", RUNNING + CONVERGENCE),
    Mutant("the key of an absence that the act lacks is not asked for", ARRIVALS, "return bool(self._expected) and all(", "return bool(self._expected) and any(", ("tests/engine",)),
    Mutant("a repeat is taken for a new event", INTAKE, "tag in folder.names", "False", STAGE),
    Mutant("the log's quick way passes over late evidence", INTAKE, "(time <= folder.latest and present & arrival.late)", "False", STAGE),
    Mutant("the log's quick way passes over an act that waits", INTAKE, "or folder.said & arrival.waited", "or False", STAGE),
    Mutant("acts of the quick way are not counted", INTAKE, "self.acts[name] = self.acts.get(name, 0) + 1", "self.acts[name] = 1", STAGE),
    Mutant("a key that only an older row holds is not found", "coordwatch/engine/folder.py", "if self._bytes.find(value, self._places[3]) >= 0:", "if False:", STAGE),
    Mutant("what was let go of a log is not taken up by its next owner", PARTITION, "self.hear(site.facts.since(self._facts_end), site.facts.end)", "pass", STAGE),
    Mutant("an event that came twice while it moved counts twice", STEP, "self._uncount(state, fact, said, step)", "pass", STAGE),
)  # fmt: skip
