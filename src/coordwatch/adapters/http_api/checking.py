"""`POST /v1/check`: may I do this to the customer now? Asked before an act, answered by the rules that would judge it after.

What enters: an act as it would be published.
What leaves: allow, hold until, or deny, with what stands against it; nothing is kept, but for how often each was said.
The next room: the processor, or the worker that keeps the customer.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from coordwatch.access.principal import Principal
from coordwatch.access.roles import Permission
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import Shape, instant
from coordwatch.alerts.card import cards_of
from coordwatch.alerts.say import sentence
from coordwatch.alerts.words import time_words
from coordwatch.clock import Clock
from coordwatch.engine.check import HORIZON, Advice, Objection
from coordwatch.events.event import Event
from coordwatch.events.times import MINUTE, parse_time
from coordwatch.processor.acts import BadAct, act_data
from coordwatch.processor.checking import Checked
from coordwatch.rules.detection import Evidence
from coordwatch.rules.spec import RuleSpec, RuleStatus, Severity

CLOCKS_DIFFER = 5 * MINUTE
"""How far the clock of whoever asks may lag behind ours: "now" is then our now."""
Amounts = dict[tuple[str, ...], float]


class CheckBody(Shape):
    """An act as a canonical event: what its type requires, but for ids that it does not have yet, and whom it is about."""

    type: Annotated[str, Field(max_length=200, description="such as marketing.message.sent")]
    subject: Annotated[
        str | None, Field(min_length=1, max_length=512, description="the customer's key, or else data.identifiers")
    ] = None
    time: Annotated[
        str | None, Field(max_length=64, description="when it would be done: RFC 3339; without it, now")
    ] = None
    data: Annotated[dict[str, Any], Field(default_factory=dict)]
    source: Annotated[str | None, Field(min_length=1, max_length=512, description="the tool that asks")] = None
    id: Annotated[str, Field(min_length=1, max_length=512)] = "asked"
    specversion: str = "1.0"
    datacontenttype: str = "application/json"


class EvidenceItem(Shape):
    """An event that stands against the act."""

    step: str
    source: str
    id: str
    type: str
    time: datetime | None
    tool: str | None


class ObjectionItem(Shape):
    """A rule that the act would violate; `until` is null when time alone does not help.

    `sentence` and `evidence` are empty for whoever may ask but not read.
    """

    rule: str
    title: str
    severity: str
    owner: str
    until: datetime | None
    sentence: str
    evidence: list[EvidenceItem]


class CheckAnswer(Shape):
    """What had better be done, and why.

    `shadow` are rules that are not live: they decide nothing. `unsaid` are rules that could not judge, because the act lacks a
    key that they compare. `read_through` says up to when the tools are read whose events could stand against it, `dark` which
    of them have fallen silent: an `allow` is as good as that.
    """

    advice: Annotated[str, Field(pattern="^(allow|hold|deny)$")]
    until: datetime | None
    why: str
    customer: str | None
    objections: list[ObjectionItem]
    shadow: list[ObjectionItem]
    asked: list[str]
    unsaid: list[str]
    read_through: datetime | None
    dark: list[str]


class CheckDesk:
    """Answers, and counts what it answered since the process began.

    Takes: `ask`, whoever keeps the customers; the clock on whose axis alerts are
    """

    def __init__(self, ask: Callable[[Event], Checked], clock: Clock, rules: Iterable[RuleSpec]) -> None:
        self._ask, self._clock, self._cards = ask, clock, cards_of(rules)
        self.said: Counter[Advice] = Counter()
        # A rule that nobody asked yet is told as 0, so that its first objection is a rise.
        asked = (one for one in self._cards.values() if one.expects is None and one.status is not RuleStatus.RETIRED)
        self.against = Counter({(card.id, card.status.value): 0 for card in asked})

    def check(self, body: CheckBody, reads: bool) -> CheckAnswer:
        """Answer. Takes: `reads`, whether who asks may see alerts. Raises: Refused, TemporaryError."""
        found = self._ask(_act(body, self._clock.now()))
        answer = found.answer
        self.said[answer.advice] += 1
        for one in (*answer.objections, *answer.shadow):
            self.against[(one.detection.rule, self._cards[one.detection.rule].status.value)] += 1
        return CheckAnswer(
            advice=answer.advice.value,
            until=instant(answer.until),
            why=self._why(found),
            customer=found.customer if reads else None,
            objections=[self._item(one, reads) for one in answer.objections],
            shadow=[self._item(one, reads) for one in answer.shadow],
            asked=list(answer.asked),
            unsaid=list(answer.unsaid),
            read_through=instant(found.read_through),
            dark=list(found.dark),
        )

    def amounts(self) -> Mapping[str, Amounts]:
        """What was answered, for metrics."""
        return {
            "coordwatch_checks": {(advice.value,): float(self.said[advice]) for advice in Advice},
            "coordwatch_check_objections": {name: float(count) for name, count in self.against.items()},
        }

    def _why(self, found: Checked) -> str:
        answer = found.answer
        if not answer.asked:
            return "No rule judges such an act."
        if not answer.objections:
            known = "Nothing that is known stands against it."
            return known if found.customer is not None else f"Nobody is known by what this act names. {known}"
        against = {self._cards[one.detection.rule] for one in answer.objections}
        worst = min(against, key=lambda card: (list(Severity).index(card.severity), card.id))
        more = len(answer.objections) - 1
        title = worst.title + (f", and {more} more" if more else "")
        wait = "Not until something changes"
        if answer.until is not None:
            wait = f"Wait until {time_words(answer.until)}, or until something changes"
        return f"{wait}: {title}."

    def _item(self, one: Objection, reads: bool) -> ObjectionItem:
        card, detection = self._cards[one.detection.rule], one.detection
        return ObjectionItem(
            rule=card.id,
            title=card.title,
            severity=card.severity.value,
            owner=card.owner,
            until=instant(one.until),
            sentence=sentence(card, detection) if reads else "",
            evidence=[_evidence(each) for each in detection.evidence] if reads else [],
        )


def check_router(desk: CheckDesk) -> APIRouter:
    """The one address that is asked before an act."""
    router = APIRouter(prefix="/v1", tags=["check"])

    @router.post("/check", response_model=CheckAnswer)
    def check(request: Request, body: CheckBody) -> CheckAnswer:
        """May I do this to the customer now? `allow`, `hold` with `until`, or `deny`, and what stands against it.

        The rules that would judge the act afterwards judge it before, with everything that is known of the customer. Nothing is
        kept: publish what you do as before. Beside Kafka the worker that keeps the customer must be asked; another says which.
        """
        who: Principal | None = getattr(request.state, "who", None)
        return desk.check(body, who is None or who.may(Permission.READ))

    return router


def _act(body: CheckBody, now: int) -> Event:
    """The act as an event. Raises: Refused with the field, and the nearest word for one that is unknown."""
    try:
        name, data = act_data(body.type, body.data)
    except BadAct as error:
        raise _refused(error.field, str(error)) from None
    if body.subject is None and not data.get("identifiers"):
        raise _refused("subject", "say whom it is about: 'subject' with the customer's key, or 'data.identifiers'")
    if body.source is not None:
        data["tool"] = {"name": body.source, **data.get("tool", {})}
    time = _time(body.time, now)
    return Event(body.source or "asked", body.id, name, time, time, body.subject, data)


def _time(said: str | None, now: int) -> int:
    if said is None:
        return now
    try:
        time = parse_time(said)
    except ValueError as error:
        raise _refused("time", str(error)) from None
    if not now - CLOCKS_DIFFER <= time <= now + HORIZON:
        raise _refused("time", "ask about now or later; why something was a conflict, GET /v1/explain tells")
    return max(now, time)


def _refused(field: str, detail: str) -> Refused:
    return Refused(422, f"{field}: {detail}", errors=[{"field": field, "message": detail}])


def _evidence(one: Evidence) -> EvidenceItem:
    return EvidenceItem(
        step=one.step, source=one.source, id=one.id, type=one.type, time=instant(one.time), tool=one.tool
    )
