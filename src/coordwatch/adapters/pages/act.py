"""What a person does to alerts: form fields become Orders, and what came of them becomes a sentence.

What enters: the fields of a form, the desk.
What leaves: Done: which alerts changed, and for the others why not.
The next room: `router`, which goes back to where the person was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from fastapi import Request

from coordwatch.adapters.pages.alert import BUTTONS
from coordwatch.adapters.pages.words import plural
from coordwatch.alerts.alert import ActionRefused, Order, VersionConflict
from coordwatch.alerts.lifecycle import HUMAN_ACTIONS, AlertAction
from coordwatch.alerts.verdict import Verdict
from coordwatch.alerts.waking import Condition, WakeWhen
from coordwatch.errors import TemporaryError
from coordwatch.events.times import DAY, HOUR
from coordwatch.ports import AlertDesk, AlertRow

ACTOR = "operator"
SNOOZES: Mapping[str, tuple[str, int | None]] = {
    "1h": ("for 1 hour", HOUR),
    "4h": ("for 4 hours", 4 * HOUR),
    "1d": ("for 1 day", DAY),
    "7d": ("for 7 days", 7 * DAY),
    "repeat": ("until it happens again", None),
}
_NOTE_MAX = 500
_WHEN = "when:"
_AT_ONCE = 200


@dataclass(slots=True)
class Done:
    """What came of a form. `status` is the HTTP status of the first problem, 200 without one."""

    action: AlertAction
    rows: list[AlertRow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    status: int = 200

    def refuse(self, status: int, problem: str) -> None:
        """Note that one alert was left as it is."""
        self.problems.append(problem)
        if self.status == 200:
            self.status = status


def actor_of(request: Request) -> str:
    """Whoever is signed in, as the door wrote it on the request; `operator` where nobody signs in."""
    return getattr(request.state, "actor", None) or ACTOR


def order_of(fields: Sequence[tuple[str, str]], now: int, actor: str = ACTOR) -> Order | None:
    """The order that a form asks for; None when its verb is not one for people. Units: `now` in microseconds."""
    form = dict(fields)
    action = next((one for one in HUMAN_ACTIONS if one.value == form.get("verb")), None)
    if action is None:
        return None
    chosen_snooze = form.get("snooze", "")
    length = SNOOZES.get(chosen_snooze, SNOOZES["4h"])[1]
    waits = _condition(chosen_snooze) if action is AlertAction.SNOOZE else None
    return Order(
        action=action,
        actor=actor,
        now=now,
        version=_version(form.get("version", "")),
        note=" ".join(form.get("note", "").split())[:_NOTE_MAX],
        verdict=_mistake(form.get("mistake", "")) if action is AlertAction.VERDICT else None,
        until=now + length if action is AlertAction.SNOOZE and length is not None and waits is None else None,
        when=waits,
    )


def snoozes_of(conditions: Sequence[Condition]) -> Mapping[str, tuple[str, int | None]]:
    """How long an alert can be snoozed: for a while, or until something has come true."""
    until = {f"{_WHEN}{one.when}:{one.about}": (f"until {one.words}, a week at most", None) for one in conditions}
    return {**SNOOZES, **until}


def _condition(text: str) -> Condition | None:
    when, colon, about = text.removeprefix(_WHEN).partition(":")
    known = next((one for one in WakeWhen if one.value == when), None)
    return Condition(known, about) if text.startswith(_WHEN) and known is not None and colon and about else None


def _mistake(text: str) -> Verdict | None:
    return next((one for one in Verdict if one.value == text and one.is_wrong), None)


def chosen(fields: Sequence[tuple[str, str]]) -> list[tuple[str, int | None]]:
    """The alerts that a form's boxes name, each with the version that the person saw."""
    tokens = [token for name, value in fields if name == "alert" for token in value.split(",")]
    pairs = [token.rpartition(".") for token in tokens[:_AT_ONCE] if token]
    return [(alert, _version(version)) for alert, dot, version in pairs if dot]


def _version(text: str) -> int | None:
    # A version that is no number is one that nobody ever saw: it must not mean "whatever stands".
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def act_on(desk: AlertDesk, alerts: Sequence[tuple[str, int | None]], order: Order) -> Done:
    """Carry out an order on several alerts; one that cannot take it does not stop the others."""
    done = Done(order.action)
    for alert, version in alerts:
        own = replace(order, version=version)
        try:
            row = desk.act(alert, own)
        except VersionConflict:
            done.refuse(409, "It changed while you looked at it. This is how it stands now: decide again.")
        except ActionRefused as problem:
            done.refuse(409, f"Not done: {problem}.")
        except TemporaryError as problem:
            done.refuse(503, f"Not done: {problem}. Send it again in a moment.")
        else:
            if row is None:
                done.refuse(404, f"There is no alert {alert}.")
            else:
                done.rows.append(row)
    return done


def done_words(action: AlertAction, count: int, left: int) -> str:
    """What a notice says after a form."""
    words = f"{BUTTONS[action][1]}."
    if count != 1:
        words = f"{plural(count, 'alert')} {BUTTONS[action][1].lower()}."
    if left:
        words += f" {plural(left, 'other')} had changed meanwhile and {'is' if left == 1 else 'are'} as before."
    return words


def notice_of(request: Request) -> str:
    """What the last form did, from the address it came back to."""
    action = next((one for one in HUMAN_ACTIONS if one.value == request.query_params.get("done")), None)
    return done_words(action, _count(request, "count", 1), _count(request, "left", 0)) if action else ""


def _count(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else default


def undo_of(request: Request) -> list[str]:
    """What can be undone of the last form, from the address it came back to."""
    tokens = request.query_params.get("undo", "").split(",")[:_AT_ONCE]
    return [token for token in tokens if token]
