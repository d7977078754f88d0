"""The narrator knows what is true of every customer, and labels the acts that the rules judge.

What enters: acts, at the instant they happen, and how stories turned out. What leaves: Labels.
The numbers below are what the shop calls a conflict; no rule is run to make a label.
The next room: `labels`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from coordwatch.events.event import Event
from coordwatch.events.times import DAY, HOUR, MINUTE
from coordwatch.simulator.labels import Label, LabelKind, Which
from coordwatch.simulator.tools.sendgrid import Mail
from coordwatch.simulator.truth import Chat
from coordwatch.simulator.world import Person, World

PROMO_COMPLAINT = "promo-during-open-complaint"
PROMO_CHAT = "promo-while-bot-resolving"
AD_RETURNED = "ad-for-returned-defective-item"
PROMO_STOCK = "promo-local-stock-gone"
ASKED_AGAIN = "details-asked-again"
BOT_LOOP = "bot-loop"
RESOLVED_OPEN = "bot-resolved-case-open"
CANCELLED = "cancelled-without-notice"
DELAYED = "delay-without-notice"
RECORDS = "conflicting-customer-records"
REFUND = "refund-promised-not-made"

COMPLAINT_FRESH = 10 * MINUTE
COMPLAINT_FELT = 48 * HOUR
CHAT_FRESH = 2 * MINUTE
CHAT_AT_MOST = 4 * HOUR
RETURN_FRESH = 2 * HOUR
RETURN_FELT = 180 * DAY
STOCK_FRESH = 30 * MINUTE
TOLD_FELT = HOUR
LOOP_WITHIN = 15 * MINUTE
SECURITY = ("date_of_birth",)

_WHOSE_MAIL = "two customers read this mailbox, and the mail does not say which of them it is for"
_CONFLICT, _NEGATIVE = LabelKind.TRUE_CONFLICT, LabelKind.HARD_NEGATIVE


@dataclass(frozen=True, slots=True)
class Truth:
    """What an act was, as a Label has it. Units: `at` in microseconds since 1970 UTC, the act's time if None."""

    kind: LabelKind
    because: str
    which: Which | None = None
    published: bool = True
    at: int | None = None


class Narrator:
    """Collects labels; `labels` grows as the simulation goes on."""

    def __init__(self, world: World) -> None:
        self.labels: list[Label] = []
        self._world = world

    def conflict(self, rule: str, person: Person, act: Event, because: str, at: int | None = None) -> None:
        """Note a conflict that the logs show. Units: `at` in microseconds since 1970 UTC, the act's time if None."""
        self.note(rule, person, act, Truth(_CONFLICT, because, at=at))

    def no_conflict(self, rule: str, person: Person, act: Event, which: Which, because: str) -> None:
        """Note an act that only looks like a conflict."""
        self.note(rule, person, act, Truth(_NEGATIVE, because, which))

    def told_elsewhere(self, rule: str, person: Person, act: Event, because: str, at: int) -> None:
        """Note an act that is no conflict, because of something that no log shows. Units: `at` in microseconds UTC."""
        self.note(rule, person, act, Truth(_NEGATIVE, because, Which.EVIDENCE_UNPUBLISHED, published=False, at=at))

    def note(self, rule: str, person: Person, act: Event, truth: Truth) -> None:
        """Note what an act was in truth."""
        at = act.time if truth.at is None else truth.at
        self.labels.append(
            Label(rule, person.key, act.source, act.id, at, truth.kind, truth.because, truth.which, truth.published)
        )

    def promoted(self, mail: Mail, act: Event) -> None:
        """Label a promotion, or a message that nobody classified."""
        if mail.person.shares_mailbox:
            self._promoted_mailbox(mail, act)
        elif mail.campaign.category == "unknown":
            if any(felt for _, felt, _ in _complaints(mail.person, act.time)):
                self.no_conflict(
                    PROMO_COMPLAINT, mail.person, act, Which.UNKNOWN_CATEGORY, "nobody said what kind of message it is"
                )
        else:
            self._promoted_in_complaint(mail.person, act)
            self._promoted_in_chat(mail.person, act)
            self._promoted_without_stock(mail, act)

    def advertised(self, person: Person, act: Event, sku: str) -> None:
        """Label an ad, or a place in an audience, for an item."""
        ages = [act.time - back.at for back in person.sent_back if back.sku == sku and back.at <= act.time]
        if any(RETURN_FRESH <= age < RETURN_FELT for age in ages):
            self.conflict(AD_RETURNED, person, act, f"the customer sent {sku} back as defective")
        elif ages:
            self.no_conflict(AD_RETURNED, person, act, Which.IN_FLIGHT, f"{sku} was sent back only just before")

    def asked(self, person: Person, act: Event, detail: str) -> None:
        """Label a question that an agent asks after a handoff."""
        told = [one for one in person.told if one.detail == detail and 0 <= act.time - one.at < TOLD_FELT]
        if not told:
            return
        if detail in SECURITY:
            self.no_conflict(ASKED_AGAIN, person, act, Which.ASKED_FOR_SECURITY, f"{detail} has to be asked in person")
        else:
            self.conflict(ASKED_AGAIN, person, act, f"the customer had told the bot their {detail}")

    def answered(self, person: Person, chat: Chat, act: Event, response: str, fallback: bool) -> None:
        """Label an answer of the bot that only repeats what it said, and remember it."""
        same = [
            at
            for at, said, fell_back in chat.answers
            if act.time - at < LOOP_WITHIN and (said == response or (fell_back and fallback))
        ]
        if len(same) >= 2:
            self.conflict(BOT_LOOP, person, act, f"the bot said {response} for the third time and learned nothing")
        chat.answers.append((act.time, response, fallback))

    def _promoted_in_complaint(self, person: Person, act: Event) -> None:
        complaints = list(_complaints(person, act.time))
        if any(felt and published for published, felt, _ in complaints):
            self.conflict(PROMO_COMPLAINT, person, act, "a complaint was open, or had only just been answered")
        elif any(felt for _, felt, _ in complaints):
            because = "the complaint was taken in a tool that nobody reads"
            truth = Truth(_CONFLICT, because, Which.EVIDENCE_UNPUBLISHED, published=False)
            self.note(PROMO_COMPLAINT, person, act, truth)
        elif any(fresh and published for published, _, fresh in complaints):
            self.no_conflict(PROMO_COMPLAINT, person, act, Which.IN_FLIGHT, "it had left before the complaint came")

    def _promoted_in_chat(self, person: Person, act: Event) -> None:
        ages = [age for chat in person.chats if (age := _complaining(chat, act.time)) is not None]
        if any(age >= CHAT_FRESH for age in ages):
            self.conflict(PROMO_CHAT, person, act, "the customer was telling the bot what went wrong")
        elif ages:
            self.no_conflict(PROMO_CHAT, person, act, Which.IN_FLIGHT, "it had left before the customer complained")

    def _promoted_without_stock(self, mail: Mail, act: Event) -> None:
        if mail.item is None or mail.store is None:
            return
        since = self._world.sold_out_since(mail.item.sku, mail.store, act.time)
        if since is not None and act.time - since >= STOCK_FRESH:
            self.conflict(PROMO_STOCK, mail.person, act, f"{mail.item.sku} was sold out in {mail.store}")
        elif since is not None:
            self.no_conflict(PROMO_STOCK, mail.person, act, Which.IN_FLIGHT, "it sold out while the mails were leaving")

    def _promoted_mailbox(self, mail: Mail, act: Event) -> None:
        """Nobody can tell from the address whom of the household the mail was for."""
        if mail.campaign.category == "unknown":
            return
        for person in (mail.person, *mail.person.housemates):
            if any(felt and published for published, felt, _ in _complaints(person, act.time)):
                mine = person is mail.person
                kind = _CONFLICT if mine else _NEGATIVE
                truth = Truth(kind, _WHOSE_MAIL, Which.SHARED_MAILBOX, published=not mine)
                self.note(PROMO_COMPLAINT, mail.person, act, truth)
                return


def _complaints(person: Person, now: int) -> Iterator[tuple[bool, bool, bool]]:
    """Give for each complaint whether it was published, whether it is felt now, and whether it has only just come."""
    for case in person.cases:
        if not case.is_complaint:
            continue
        felt = fresh = False
        for opened, closed in case.episodes:
            if opened <= now and (closed is None or closed > now - COMPLAINT_FELT):
                felt = felt or opened <= now - COMPLAINT_FRESH
                fresh = fresh or opened > now - COMPLAINT_FRESH
        yield case.published, felt, fresh


def _complaining(chat: Chat, now: int) -> int | None:
    """Give for how long a chat has been about a complaint, None when it is not. Units: microseconds."""
    begun = chat.complained
    if begun is None or begun > now or (chat.over is not None and chat.over <= now):
        return None
    return now - begun if now - chat.complained_last < CHAT_AT_MOST else None
