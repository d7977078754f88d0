"""One partition of the events: its customers, and what came of the messages taken since the last commit.

Slices of messages enter; records of the changelog, of the ledger and of what was detected leave. The next room: `stage`,
which holds the partitions of a process.
"""

from collections.abc import Iterator, Mapping, Sequence

from coordwatch.context.fact import ID, MASK, TYPE, Fact
from coordwatch.context.journal import LONG_AGO, Insertion
from coordwatch.context.progress import BEGINNING
from coordwatch.engine.folder import NEVER, deadline_in, reads_in, tag_of
from coordwatch.engine.folders import Folders
from coordwatch.engine.retention import look_back, refuses
from coordwatch.engine.state import Said, entry_to_plain, event_of
from coordwatch.engine.step import Engine, Step, World
from coordwatch.engine.unnaming import unname
from coordwatch.processor.asking import Known
from coordwatch.processor.detecting import rows
from coordwatch.processor.detecting.books import ROLE, Books
from coordwatch.processor.detecting.customers import Customers, Open
from coordwatch.processor.detecting.deadlines import Deadlines
from coordwatch.processor.detecting.intake import Intake
from coordwatch.processor.detecting.reaches import Reaches
from coordwatch.processor.detecting.readers import Readers
from coordwatch.processor.detecting.site import Site
from coordwatch.processor.detecting.suppressing import Suppressions
from coordwatch.processor.forgetting import FORGOTTEN, away_output, forget_alerts, forget_nodes, place_again
from coordwatch.processor.letters import Origin, letters_of
from coordwatch.processor.marks import Mark
from coordwatch.processor.outcomes import detection_record
from coordwatch.processor.readings import StateReading
from coordwatch.processor.records import Refusal
from coordwatch.processor.stage import Output, Place
from coordwatch.rules.evaluate import Outcome
from coordwatch.rules.plan import CompiledRule


class Partition:
    """The state of one partition, and everything that came of what was taken since the last `give`."""

    def __init__(self, place: Place, site: Site, stored: Mapping[bytes, bytes]) -> None:
        """Take over what is stored; customers stay bytes until they are touched.

        Raises: UnknownSnapshot when a newer program wrote it
        """
        self.place, self.site, self._topics = place, site, site.settings.topics
        self.now = BEGINNING
        self.books = Books(place)
        restored = rows.restore(stored, self.books)
        self.fence, self._fence_given = restored.fence, restored.fence
        self._facts_end = self._reviewed_end = site.facts.end if restored.facts_end is None else restored.facts_end
        self._changed: dict[bytes, bytes | None] = {}
        self._outputs: list[Output] = []
        self.reaches = Reaches(site.watched, restored.marks)
        self._proofs = self._prove()
        self.engine = Engine(site.plan, self._since(restored.rules, bool(stored)))
        self.step, self.world = Step(), World(site.facts.reference, self._proven)
        folders = Folders(site.plan, site.retention, restored.books)
        if folders.book.digest not in restored.books:
            self._changed[rows.book_key(folders.book.digest)] = rows.pack_row(*folders.book.plain())
        self.customers = Customers(
            place, folders, site.settings.size_max, lambda state: self.engine.retire(state, self.step)
        )
        self.customers.closed = restored.customers
        self.suppressions = Suppressions(place, self._topics, site.suppressing, restored)
        self.readers = Readers(max(map(reads_in, restored.customers.values()), default=LONG_AGO))
        running = ((deadline_in(value), key) for key, value in restored.customers.items())
        self.deadlines = Deadlines(len(site.waits), (run for run in running if run[0] < NEVER))
        self.intake = Intake(site, self.customers, self.readers, self.engine.arrivals, self.world)
        self._reviews: dict[bytes, None] = {}
        self._review_types: set[str] = set()
        self.hear(site.facts.since(self._facts_end), site.facts.end)

    # ---- what is taken

    def look(self, key: bytes, fact: Fact) -> None:
        """Take a fact that may change what is said of some act, or that is no new one."""
        opened = self.customers.look(key)
        state, folder = opened
        if refuses(state.journal, self.site.retention, fact, self.now):
            folder.too_late = state.journal.too_late
            self.books.tally_insertion(Insertion.TOO_LATE)
            return
        insertion = Insertion.ADDED
        if tag_of(fact[ID]) in folder.names:
            insertion = self.engine.arrive(state, fact, self.world, self.step)
        else:
            self.engine.arrive_new(state, fact, folder.said, self.world, self.step)
        self._keep_fact(key, opened, fact, insertion)
        self._keep_said(key, opened)
        self.books.tally_insertion(insertion)

    def reask(self, key: bytes, anchor: str, about: str | None) -> None:
        """Send the events of an anchor (and about an identifier) back to identity, with what was said of their acts."""
        opened, router = self.customers.look(key), self.site.router
        routes = [(fact, router.route(event_of(fact))) for fact in opened.state.journal.facts]
        asked = [fact for fact, route in routes if route.anchor == anchor and (about is None or about in route.ids)]
        if not asked:
            return
        for fact, said in self.engine.take_out(opened.state, asked):
            value = router.place(event_of(fact), [entry_to_plain(name, entry) for name, entry in said.items()])
            self._outputs.append(place_again(self._topics, anchor, value))
            self.books.tally("applied", -1)
        self.customers.folders.rewrite(opened.folder, opened.state.journal)
        self.step.retold = True
        self._review(key, opened, self.site.plan.rules)

    def move(self, key: bytes, fact: Fact, said: Said) -> None:
        """Take a fact that comes back from identity, with what had been said of its act."""
        opened = self.customers.look(key)
        insertion = self.engine.put_back(opened.state, fact, said, self.step)
        self._keep_fact(key, opened, fact, insertion)
        self.engine.retire(opened.state, self.step)
        self.step.retold = True
        self._review(key, opened, self.site.plan.rules)
        self._wait(key, opened)
        self.books.tally_insertion(insertion)

    def lose(self, fact: Fact, said: Said) -> None:
        """Take back what was said and counted of an event that identity gave up after it had gone back there."""
        self.engine.lose(fact, said, self.step)

    def forget(self, key: bytes) -> None:
        """Forget a customer: what is kept, what was said; and let the owners of their identifiers do the same."""
        opened, topics, customer = self.customers.look(key), self._topics, key.decode("utf-8", "replace")
        routes = [self.site.router.route(event_of(fact)) for fact in opened.state.journal.facts]
        self._outputs += forget_nodes(topics, (one for route in routes for one in route.ids), customer)
        self._outputs.append(forget_alerts(topics, customer))
        self._outputs.append(away_output(topics, self.site.settings.identity.digester.kept_away(customer), self.now))
        self.customers.empty(key)
        self._reviews.pop(key, None)

    def unname(self, key: bytes, digest: str) -> None:
        """Take the identifier of somebody who was forgotten out of a customer's events."""
        opened, site = self.customers.look(key), self.site
        journal = opened.state.journal
        anchored = [fact for fact in journal.facts if site.router.route(event_of(fact)).anchor == digest]
        for fact, said in self.engine.take_out(opened.state, anchored):
            event = site.router.reader.without(event_of(fact), digest.__eq__)
            anchor, told = site.router.route(event).anchor, [entry_to_plain(*one) for one in said.items()]
            self.books.tally("applied", -1)
            if anchor is None:
                self.books.tally("dropped", 1, FORGOTTEN)
            else:
                self._outputs.append(place_again(self._topics, anchor, site.router.place(event, told)))
        if unname(journal, {digest}, site.router.reader, site.plan) or anchored:
            self.customers.folders.rewrite(opened.folder, journal)
            self.step.retold = True
            self._review(key, opened, site.plan.rules)

    def mark(self, mark: Mark) -> None:
        """Take how far the sources are read, as one emitter says."""
        kept = self.reaches.take(mark)
        self._proofs = self._prove()
        self._changed[rows.MARK + kept.by.encode()] = rows.pack_mark(kept)

    def refuse(self, origin: Origin, reason: str, detail: str, path: str | None = None) -> None:
        """Make a dead letter of a record that cannot be read."""
        self._outputs += letters_of(self._topics.dead_letters, origin, [Refusal(ROLE, reason, detail, path)])
        self.books.tally("dead_lettered", 1, f"{ROLE}.{reason}")

    def hear(self, facts: Sequence[Fact], end: int) -> None:
        """Note who must be judged again because they had read facts of these types; `end` is how far facts are heard."""
        oldest = NEVER
        for fact in facts:
            self._reviews.update(dict.fromkeys(self.readers.of(fact)))
            self._review_types.add(fact[TYPE])
            if fact[0] <= self.readers.exact_after:
                oldest = min(oldest, fact[0])
        if oldest < NEVER:
            self._reviews.update(dict.fromkeys(self.customers.readers(oldest)))
        self._facts_end = end

    def tick(self, now: int) -> None:
        """Judge who waits for it: for facts that came late, and for deadlines; so many at once as the settings say."""
        self.now = max(self.now, now)
        self.suppressions.tick(self.now)
        rest = self.site.settings.due_max
        rules = [rule for rule in self.site.plan.rules if self._reads_any(rule)] if self._reviews else []
        for key in list(self._reviews)[:rest]:
            del self._reviews[key]
            self._review(key, self.customers.look(key), rules)
        if not self._reviews:
            self._review_types.clear()
        proven = [min(through, self.now) for through in self._proofs]
        for key in self.deadlines.due(proven, rest, self.customers.deadline):
            opened = self.customers.look(key)
            self.engine.due(opened.state, self.world, self.step)
            self._keep_said(key, opened)
            self._wait(key, opened)

    # ---- what is given

    @property
    def pending(self) -> bool:
        """Whether anything is not durable yet."""
        moved = self.fence != self._fence_given or self._facts_end != self._reviewed_end
        taken = self._reviews or self._changed or self._outputs or self.customers.touched or self.intake.applied
        return bool(moved or taken or self.suppressions.pending or self.books.changed)

    def give(self) -> Iterator[Output]:
        """Everything that is not durable yet; afterwards nothing is pending but who is still to be judged."""
        state, partition = self._topics.detect_state, self.place.partition
        for change in self.step.changes:
            yield detection_record(self._topics.detections, change)
        yield from self._outputs
        self.intake.settle(self.step, self.books)
        self.books.count(self.step.counts)
        for key, value, line in self.books.give(self._topics.ledger):
            self._changed[key] = value
            yield line
        yield from self.suppressions.give(self.customers, self.site.settings.again_max, self.now)
        for key, closed in self.customers.give(self.now):
            yield Output(state, rows.CUSTOMER + key, closed, partition)
        self._reviewed_end = self._reviewed_end if self._reviews else self._facts_end
        self._changed[rows.PLACE] = rows.pack_row(self.fence, self._reviewed_end)
        for key, row in self._changed.items():
            yield Output(state, key, row, partition)
        self._changed, self._outputs, self._fence_given = {}, [], self.fence
        self.step.changes, self.step.counts = [], {}

    # ---- for any thread, as last given

    def known(self, customer: str) -> Known:
        """One customer, and what the state is read with."""
        row, folders = self.customers.closed.get(customer.encode()), self.customers.folders
        facts = self.site.facts.of
        return Known(lambda: folders.restore(customer, row), self.site.plan, self.reaches.progress, facts, self.warming)

    @property
    def held(self) -> StateReading:
        """How much state of customers there is."""
        closed = list(self.customers.closed.values())
        return StateReading(len(closed), sum(map(len, closed)), self.suppressions.held)

    # ---- within

    def _keep_fact(self, key: bytes, opened: Open, fact: Fact, insertion: Insertion) -> None:
        """Bring the folder into step with the journal."""
        if insertion is Insertion.ADDED:
            kind, arrival = (
                self.customers.folders.lines.by_type[fact[TYPE]],
                self.engine.arrivals.of(fact[TYPE], fact[MASK]),
            )
            self.customers.folders.add(opened.folder, fact, kind, tag_of(fact[ID]))
            if arrival.reads:
                self.intake.note_reads(key, opened.folder, fact, arrival)
        elif insertion is Insertion.SEEN_EARLIER:
            self.customers.folders.rewrite(opened.folder, opened.state.journal)

    def _keep_said(self, key: bytes, opened: Open) -> None:
        """Bring the folder into step with what was said, and note the deadlines that began to run."""
        step, groups = self.step, self.site.groups
        if step.retold:
            self.customers.folders.retell(opened.folder, opened.state.entries)
        elif step.told:
            self.customers.folders.tell(opened.folder, step.told)
        for name, entry in step.told:
            if entry.outcome is Outcome.PENDING:
                self.deadlines.push(groups[name[0]], entry.at, key)
        step.told, step.retold = [], False

    def _wait(self, key: bytes, opened: Open) -> None:
        """Note every deadline of a customer that still runs."""
        for name, entry in opened.state.entries.items():
            if entry.outcome is Outcome.PENDING and name[0] in self.site.groups:
                self.deadlines.push(self.site.groups[name[0]], entry.at, key)

    def _review(self, key: bytes, opened: Open, rules: Sequence[CompiledRule]) -> None:
        self.engine.review(opened.state, rules, self.world, self.step)
        self._keep_said(key, opened)

    def _reads_any(self, rule: CompiledRule) -> bool:
        return any(take.type in self._review_types for step in rule.given for take in step.takes)

    def _prove(self) -> list[int]:
        """Up to when the sources that each group of rules waits for are read."""
        return [self.reaches.progress.proof(types, self.now).through for types in self.site.waits]

    def _proven(self, rule: CompiledRule) -> int:
        return self.now if rule.expect is None else min(self._proofs[self.site.groups[rule.id]], self.now)

    def _since(self, known: Mapping[str, tuple[str, int]], stored: bool) -> dict[str, int]:
        """From when each rule that is new here judges; the first rules of an empty partition judge everything."""
        through = max((one.through for one in self.reaches.progress.sources.values()), default=BEGINNING)
        since: dict[str, int] = {}
        self.warming: dict[str, int] = {}
        for rule in self.site.plan.rules:
            revision, first = known.get(rule.id, (None, BEGINNING))
            if revision != rule.revision:
                first = through if stored else BEGINNING
                self._changed[rows.RULE + rule.id.encode()] = rows.pack_row(rule.revision, first)
            if first > BEGINNING:
                since[rule.id] = first
                self.warming[rule.id] = first + look_back(rule.spec)
        return since
