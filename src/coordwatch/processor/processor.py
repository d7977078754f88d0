"""Processor: records in; state, detections, dead letters and positions out, in one commit. Every runtime calls it.

The walk of one batch: map each record, find each event's customer, step the customers, commit everything that changed.
A crash before the commit loses nothing that was answered; after it, a repeat finds its duplicates. Nothing here reads a
clock: `now` is passed in.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from coordwatch.codec import pack, unpack
from coordwatch.context.progress import BEGINNING, Progress, SourceProgress
from coordwatch.context.reference import Reference
from coordwatch.engine.batch import CUSTOMER, FACTS, GIVEN, Desk
from coordwatch.engine.check import check
from coordwatch.engine.folders import Folders
from coordwatch.engine.retention import derive, look_back
from coordwatch.engine.rows import IDENTITY, taught_of, taught_rows
from coordwatch.engine.state import CustomerState, event_of, fact_from_plain
from coordwatch.engine.step import Engine
from coordwatch.engine.views import choose_act, customer_view
from coordwatch.errors import CoordwatchError, TemporaryError
from coordwatch.events.event import Event
from coordwatch.identity.identity import Identity
from coordwatch.identity.kept_away import KeptAway
from coordwatch.identity.observation import IDENTITY_UNRESOLVED
from coordwatch.ports import CustomerView, Effects
from coordwatch.processor.carrying_out import carry_out, forget_named
from coordwatch.processor.checking import Checked, resting_on
from coordwatch.processor.feeding import cannot_be_fed, waiting_words
from coordwatch.processor.records import DAY, Input, ProcessorSettings, Result
from coordwatch.processor.requests import KEPT, RECEIPTS, REQUESTS, PersonStore, Receipt, RequestKind, receipt_of
from coordwatch.processor.work import PROGRESS, Rooms, Work
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.explain import explain
from coordwatch.rules.explanation import Explanation
from coordwatch.rules.search import View
from coordwatch.rules.spec import RuleSpec
from coordwatch.sources.mapper import Mapper

RULES, BOOK = "rules/", "book/"


FACTS_MAX = 30_000


DUE_MAX = 2_000


class Processor:
    """The whole walk over one store; a failed commit leaves it as the store last was."""

    def __init__(
        self,
        specs: Sequence[RuleSpec],
        store: PersonStore,
        settings: ProcessorSettings,
        *,
        mapper: Mapper | None = None,
        sources: Sequence[SourceProgress] = (),
    ) -> None:
        self.specs, self.store, self.settings, self.mapper = tuple(specs), store, settings, mapper
        self.progress = Progress(sources)
        carried = self.progress.carried()
        self.disabled = {spec.id: why for spec in specs if (why := cannot_be_fed(spec, carried)) is not None}
        self.plan = compile_rules([spec for spec in specs if spec.id not in self.disabled], display=True)
        self.retention = derive(self.plan, cap=settings.cap, lateness=settings.lateness)
        self.warming: dict[str, int] = {}
        self._new_rules: dict[str, bytes | None] = {}
        self._tidied_at = BEGINNING
        self.reload()

    def reload(self) -> None:
        """Forget everything in memory and begin from what the store holds."""
        stored = {key: unpack(value) for key, value in self.store.scan(PROGRESS)}
        for name, source in self.progress.sources.items():
            through, heard_at = stored.get(PROGRESS + name, (BEGINNING, BEGINNING))
            self.progress.put(
                SourceProgress(
                    name, source.carries, source.disorder, source.publishing_delay, source.dark_after, through, heard_at
                )
            )
        taught, parked, _ = taught_of(self.store.scan(IDENTITY))
        self.identity = Identity(self.settings.identity)
        self.identity.learn([taught])
        for event in parked:
            self.identity.park(event)
        facts = (fact_from_plain(unpack(value), self.plan) for _, value in self.store.scan(FACTS))
        reference = Reference(fact for fact in facts if fact is not None)
        self.desk = Desk(Engine(self.plan, self._since()), self._folders(), reference)
        for key, value in self.store.scan(GIVEN):
            event_type, customer = key.removeprefix(GIVEN).split("/", 1)
            self.desk.readers.setdefault(event_type, {})[customer] = unpack(value)
        kept = {key.removeprefix(KEPT): unpack(value) for key, value in self.store.scan(KEPT)}
        self.kept = KeptAway(self.settings.identity, kept)
        self.rooms = Rooms(self.store, self.mapper, self.identity, self.desk, self.progress, self.kept)
        self._unproven: dict[str, tuple[int, ...]] = {}
        self._stale = False

    def _begin_again(self) -> None:
        """After a commit that failed: forget what it would have changed, now, or before anything else once the store is back."""
        self._stale = True
        with suppress(TemporaryError):
            self.reload()

    def _refresh(self) -> None:
        if self._stale:
            self.reload()

    def handle(self, inputs: Sequence[Input], now: int, positions: Mapping[str, str] | None = None) -> list[Result]:
        """Handle a batch of records in one commit.

        Takes:  `positions`, how far each input is read with this batch
        Gives:  one result a record, in order
        Raises: TemporaryError when the store refused; nothing of the batch has happened then
        """
        self._refresh()
        try:
            work = Work(self.rooms, now)
            results = [work.record(one) for one in inputs]
            forget_named(work, work.erasures)
            self._commit(work, positions or {})
        except CoordwatchError:
            self._begin_again()
            raise
        return results

    def tick(self, now: int) -> int:
        """Let time pass: give up events that waited too long for a customer, judge acts whose deadline has come.

        Gives:  how many customers were judged
        Raises: TemporaryError as `handle`
        """
        self._refresh()
        proofs = self._proofs(now)
        due = self.store.due(min(now, max(proofs, default=BEGINNING)), DUE_MAX + len(self._unproven))
        self._unproven = {name: self._unproven[name] for name in due if name in self._unproven}
        waiting = [name for name in due if self._unproven.get(name) != proofs][:DUE_MAX]
        expired = self.identity.expire(now - self.settings.lateness) if now > self.settings.lateness else ()
        if not waiting and not expired:
            return 0
        try:
            work = Work(self.rooms, now)
            work.load(waiting)
            for customer in waiting:
                work.batch.due(customer)
                self._unproven[customer] = proofs
            for one in expired:
                work.give_up(one.event, f"{IDENTITY_UNRESOLVED}: {one.why}")
            self._commit(work, {})
        except CoordwatchError:
            self._begin_again()
            raise
        return len(waiting)

    def carry_out(self, now: int) -> list[Receipt]:
        """Do what people asked for; what they asked waits in the store.

        Raises: TemporaryError as `handle`
        """
        self._refresh()
        rows = list(self.store.scan(REQUESTS))
        if not rows:
            return []
        try:
            work = Work(self.rooms, now)
            receipts = carry_out(work, rows)
            self._commit(work, {})
        except CoordwatchError:
            self._begin_again()
            raise
        return receipts

    def verify(self, now: int) -> list[Receipt]:
        """Look whether anything is left of those who were forgotten, where nobody has looked since; note it in the receipts.

        Everything that is stored is written anew first, so that the bytes of what was deleted are gone too.
        """
        waiting = [one for one in self.receipts() if one.kind is RequestKind.FORGET and one.verified_at is None]
        waiting = [one for one in waiting if not one.problem]
        if not waiting:
            return []
        self.store.compact()
        left = {name for name in self.store.names_left() if self.kept.holds(name)}
        checked = [one.checked(len(left), now) for one in waiting]
        self.store.commit(Effects(values=dict(one.row() for one in checked)), now)
        return checked

    def tidy(self, now: int) -> None:
        """Once a day let go of what is too old: refs that no event names, closed alerts, dead letters, entries."""
        if now - self._tidied_at < DAY:
            return
        self._tidied_at, keep = now, self.settings.keep
        gone = self.identity.tidy(lambda ref: now - (keep.messages if ref == "message" else keep.refs))
        values: dict[str, bytes | None] = dict.fromkeys(taught_rows(gone))
        if keep.kept_away is not None:
            values |= dict.fromkeys(f"{KEPT}{entry}" for entry in self.kept.expire(now - keep.kept_away))
        self.store.expire(now - keep.alerts, now - keep.dead_letters)
        self.store.commit(Effects(values=values), now)

    def receipts(self) -> list[Receipt]:
        """Everything that was done for somebody's request, oldest first."""
        found = [receipt_of(value) for _, value in self.store.scan(RECEIPTS)]
        return sorted(found, key=lambda one: (one.done_at, one.id))

    def caught_up(self, name: str, now: int) -> None:
        """The reader of an input has reached the end of what is there."""
        source = self.progress.sources.get(name)
        if source is not None:
            self.progress.put(source.caught_up(now))

    def proven(self, types: Iterable[str], now: int) -> int:
        """Up to when every source that could carry one of these types is proven read."""
        return self.rooms.proven(types, now)

    def state(self, customer: str) -> CustomerState:
        """A customer's state as it is now; an empty one for a customer nobody knows."""
        known = self.desk.states.get(customer)
        if known is None:
            key = f"{CUSTOMER}{customer}"
            known = self.desk.folders.restore(customer, self.store.load([key]).get(key))
        return known

    def view(self, customer: str) -> View:
        """A customer's facts, ready to be asked by rules."""
        return View(self.state(customer).journal.facts, customer, self.desk.reference)

    def explain(
        self, rule_id: str, customer: str, act: tuple[str, str] | None, at: int | None, now: int
    ) -> Explanation | None:
        """Say why a rule did or did not fire for an act of a customer; None when there is no such rule.

        Takes: `act` by source and id, or the act nearest to `at`, or the last one
        """
        rule = next((rule for rule in self.plan.rules if rule.id == rule_id), None)
        if rule is None:
            return None
        view = self.view(customer)
        return explain(rule, view, choose_act(rule, view, act, at), self.rooms.proven_for(rule, now))

    def check(self, act: Event, now: int) -> Checked:
        """Say whether an act may be done, to whom it names; nothing of it is kept."""
        admitted = self.kept.admit(act).event
        # Whoever reads alerts names a customer by their key, as it is or as it once was.
        customer = self.identity.current(act.subject) if act.subject else None
        if customer is None and admitted is not None:
            customer = self.identity.customer_of(admitted)
        facts = () if customer is None else self.state(customer).journal.facts
        view = View(facts, customer or "", self.desk.reference)
        answer = check(self.plan, view, self.identity.pseudonymous(admitted or act))
        return resting_on(self.progress, self.plan, answer, customer, now)

    def customer(self, customer: str, now: int) -> CustomerView | None:
        """What is known of a customer; None when nothing is."""
        state = self.state(customer)
        if not state.journal.facts and not state.entries:
            return None
        shown = customer_view(
            state, self.view(customer), self.plan, lambda rule: waiting_words(self.progress, rule, now)
        )
        return replace(shown, confidence=self.identity.confidence(event_of(fact) for fact in state.journal.facts))

    def _folders(self) -> Folders:
        """The folders of customers, with the books by which other rules laid them out; ours is stored with the next commit."""
        books = {int(key.removeprefix(BOOK), 16): unpack(value) for key, value in self.store.scan(BOOK)}
        folders = Folders(self.plan, self.retention, books)
        if folders.book.digest not in books:
            self._new_rules[f"{BOOK}{folders.book.digest:012x}"] = pack(folders.book.plain())
        return folders

    def _proofs(self, now: int) -> tuple[int, ...]:
        return tuple(self.rooms.proven_for(rule, now) for rule in self.plan.rules if rule.expect is not None)

    def _since(self) -> dict[str, int]:
        """From when each rule that is new to this store judges; the first rules of an empty store judge everything."""
        stored = {key.removeprefix(RULES): unpack(value) for key, value in self.store.scan(RULES)}
        through = max((source.through for source in self.progress.sources.values()), default=BEGINNING)
        since: dict[str, int] = {}
        for rule in self.plan.rules:
            revision, first = stored.get(rule.id, (None, BEGINNING))
            if revision != rule.revision:
                first = through if stored else BEGINNING
                self._new_rules[RULES + rule.id] = pack([rule.revision, first])
            if first > BEGINNING:
                since[rule.id] = first
                self.warming[rule.id] = first + look_back(rule.spec)
        return since

    def _commit(self, work: "Work", positions: Mapping[str, str]) -> None:
        effects = work.effects(positions)
        effects.values.update(self._new_rules)
        self.store.commit(effects, work.now)
        self._new_rules = {}
        if sum(len(state.journal.facts) for state in self.desk.states.values()) > FACTS_MAX:
            self.desk.states.clear()
