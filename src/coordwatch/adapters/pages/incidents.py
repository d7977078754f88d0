"""Incidents for people: alerts with one likely cause as one thing, and the customers to repair.

What enters: requests, forms, the IncidentDesk.
What leaves: pages; orders on an incident, decisions about its customers.
The next room: `router`, which gives them their addresses.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from coordwatch.adapters.inbox_query import SEVERITIES
from coordwatch.adapters.pages.act import actor_of
from coordwatch.adapters.pages.guard import FormRefused, going, own_path, read_form
from coordwatch.adapters.pages.shell import Shell
from coordwatch.adapters.pages.words import plural
from coordwatch.adapters.paging import BadQuery
from coordwatch.alerts.alert import ActionRefused, VersionConflict
from coordwatch.alerts.incident import GOING_ON, PEOPLE_DO, IncidentAction, IncidentOrder, IncidentStatus
from coordwatch.alerts.repair import RepairState
from coordwatch.errors import TemporaryError
from coordwatch.ports import INCIDENT_SORTS, AlertReader, IncidentDesk, IncidentRow, IncidentView, RepairOrder

_ROWS = 50
_CUSTOMERS = 100
_ALERTS = 50
_NOTE_MAX = 500
_LIVE = f"{IncidentStatus.OPEN},{IncidentStatus.ACKNOWLEDGED}"
_STATUSES: Mapping[str, str] = {
    "going on": _LIVE, "open": "open", "acknowledged": "acknowledged", "resolved": "resolved", "all": "all",
}  # fmt: skip
BUTTONS: Mapping[str, tuple[str, str]] = {
    "acknowledge": ("Acknowledge", "Acknowledged, with its alerts."),
    "resolve": ("Resolve", "Resolved, with its alerts."),
    "reopen": ("Reopen", "Reopened."),
    "undo": ("Undo", "Undone."),
    "note": ("Keep the note", "The note is kept."),
    "split": ("Split off", "Split off: this is the new one. Nothing joins it again but you."),
    "merge": ("Put in", "Put together. It can be taken apart again below."),
}
DONE_WORDS = {
    "begin": "began", "grow": "grew", "end": "ended: nothing in it is open any more", "come_back": "came back",
    "acknowledge": "acknowledged", "resolve": "resolved", "reopen": "reopened", "undo": "set back", "merge": "merged",
    "split": "split", "note": "noted", "repair": "decided about customers",
}  # fmt: skip
REPAIRS: Mapping[str, tuple[str, str]] = {
    RepairState.REPAIRED.value: ("Repaired", "repaired"),
    RepairState.NOT_NEEDED.value: ("Needs nothing", "in no need of anything"),
    RepairState.OPEN.value: ("Open again", "open again"),
}


class IncidentPages:
    """The endpoints of incidents."""

    def __init__(self, desk: IncidentDesk, shell: Shell, reader: AlertReader) -> None:
        self._desk, self._shell, self._reader = desk, shell, reader

    def list(self, request: Request) -> Response:
        """Incidents, those that go on unless the address says otherwise."""
        asked = request.query_params
        status = asked.get("status", "")
        status = status if status in _STATUSES.values() else _LIVE
        sort = asked.get("sort", "")
        filters = {"status": "" if status == "all" else status, "sort": sort if sort in INCIDENT_SORTS else "newest"}
        severity = asked.get("severity", "")
        if severity in SEVERITIES:
            filters["severity"] = severity
        try:
            rows, cursor = self._desk.incidents(
                {name: one for name, one in filters.items() if one}, _ROWS, asked.get("after")
            )
        except BadQuery as problem:
            return self._shell.nothing(
                request, 400, f"This address asks for something that is not there: {problem}.", "/incidents"
            )
        here = {name: value for name, value in (("status", asked.get("status")), ("sort", asked.get("sort"))) if value}
        values = {
            "rows": rows,
            "summary": _summary(rows, cursor is not None, status),
            "statuses": [(word, _address(here | {"status": one}), one == status) for word, one in _STATUSES.items()],
            "sorts": {one: _address(here | {"sort": one}) for one in INCIDENT_SORTS},
            "sort": filters["sort"],
            "older": _address(here | {"after": cursor}) if cursor else None,
            "is_filtered": status != _LIVE or bool(severity),
        }
        return self._shell.page(request, "incidents.html", values)

    def show(self, request: Request, incident_id: str) -> Response:
        """One incident."""
        asked = request.query_params
        notice = BUTTONS[asked["done"]][1] if asked.get("done") in BUTTONS else ""
        if asked.get("done") in REPAIRS:
            count = asked.get("count", "")
            many = int(count) if count.isascii() and count.isdigit() and len(count) < 5 else 0
            notice = f"{plural(many, 'customer')} {'is' if many == 1 else 'are'} {REPAIRS[asked['done']][1]} now."
        return self._page(request, incident_id, notice, 200)

    def _page(self, request: Request, incident_id: str, notice: str, status: int) -> Response:
        view = self._desk.incident(incident_id)
        if view is None:
            missing = f"There is no incident {incident_id[:80]}. It may be over for so long that it is kept no more."
            return self._shell.nothing(request, 404, missing, "/incidents")
        after = request.query_params.get("customers_after")
        lines = self._desk.repairs(incident_id, _CUSTOMERS + 1, after[:400] if after else None) or []
        place = f"/incidents/{quote(incident_id, safe='')}"
        values: dict[str, Any] = {
            "view": view,
            "row": view.row,
            "notice": notice,
            "buttons": BUTTONS,
            "actions": [one for one in view.actions if one in BUTTONS],
            "repairs": lines[:_CUSTOMERS],
            "repair_buttons": REPAIRS,
            "more": f"{place}?{urlencode({'customers_after': lines[_CUSTOMERS - 1].customer})}#customers"
            if len(lines) > _CUSTOMERS
            else None,
            "first": f"{place}#customers" if after else None,
            "done_words": DONE_WORDS,
            "are_all": request.query_params.get("select") == "all",
            "select_all": f"{place}?{urlencode({**({'customers_after': after} if after else {}), 'select': 'all'})}#customers",
            "place": place,
            **self._apart_or_together(view),
        }
        return self._shell.page(request, "incident.html", values, status)

    def _apart_or_together(self, view: IncidentView) -> dict[str, Any]:
        """What can be split off, what can be put in, and where it can be put back."""
        before = None if view.split_from is None else self._desk.incident(view.split_from)
        if view.row.status not in GOING_ON:
            return {"alerts": [], "others": [], "before": None}
        alerts = self._reader.alerts({"incident": view.row.id}, _ALERTS, None)[0] if view.row.alerts > 1 else []
        others = self._desk.incidents({"status": _LIVE, "sort": "newest"}, _ROWS, None)[0]
        return {
            "alerts": alerts,
            "others": [one for one in others if one.id != view.row.id],
            "before": before.row if before is not None and before.row.status in GOING_ON else None,
        }

    async def act(self, request: Request, incident_id: str) -> Response:
        """Do to an incident what its form asks."""
        return await self._posted(request, lambda fields: self._act(request, incident_id, fields))

    def _act(self, request: Request, incident_id: str, fields: Sequence[tuple[str, str]]) -> Response:
        form = dict(fields)
        if form.get("verb") in (IncidentAction.SPLIT, IncidentAction.MERGE):
            return self._moved(request, incident_id, IncidentAction(form["verb"]), fields)
        action = next((one for one in PEOPLE_DO if one.value == form.get("verb")), None)
        if action is None:
            return self._page(
                request, incident_id, f"Not done: the form must name one of {', '.join(sorted(BUTTONS))}.", 400
            )
        note = " ".join(form.get("note", "").split())[:_NOTE_MAX]
        if action is IncidentAction.NOTE and not note:
            return self._page(request, incident_id, "Not done: there is no note. Write one beside the button.", 400)
        order = IncidentOrder(action, actor_of(request), self._shell.now(), _version(form), note)
        return self._done(request, incident_id, action, lambda: self._desk.act(incident_id, order))

    def _moved(
        self, request: Request, incident_id: str, action: IncidentAction, fields: Sequence[tuple[str, str]]
    ) -> Response:
        form = dict(fields)
        order = IncidentOrder(action, actor_of(request), self._shell.now(), _version(form))
        if action is IncidentAction.SPLIT:
            chosen = [value for name, value in fields if name == "alert"][:_ALERTS]
            missing, do = "select the alerts that belong apart", partial(self._desk.split, incident_id, chosen, order)
        else:
            chosen = [value for name, value in fields if name == "other" and value][:_ROWS]
            missing, do = "choose the incident that belongs here", partial(self._desk.merge, incident_id, chosen, order)
        if not chosen:
            return self._page(request, incident_id, f"Not done: {missing}.", 400)
        return self._done(request, incident_id, action, do)

    def _done(
        self, request: Request, incident_id: str, action: IncidentAction, do: Callable[[], IncidentRow | None]
    ) -> Response:
        try:
            row = do()
        except VersionConflict:
            moved = "It changed while you looked at it. This is how it stands now: decide again."
            return self._page(request, incident_id, moved, 409)
        except ActionRefused as problem:
            return self._page(request, incident_id, f"Not done: {problem}.", 409)
        if row is None:
            return self._page(request, incident_id, "", 404)
        return going(f"/incidents/{quote(row.id, safe='')}?done={action.value}")

    async def repair(self, request: Request, incident_id: str) -> Response:
        """Keep what was decided about customers."""
        return await self._posted(request, lambda fields: self._repair(request, incident_id, fields))

    def _repair(self, request: Request, incident_id: str, fields: Sequence[tuple[str, str]]) -> Response:
        form = dict(fields)
        state = next((one for one in RepairState if one.value == form.get("state")), None)
        customers = [value for name, value in fields if name == "customer"][:_CUSTOMERS]
        if state is None or not customers:
            return self._page(request, incident_id, "Not done: select customers, then say what became of them.", 400)
        note = " ".join(form.get("note", "").split())[:_NOTE_MAX]
        try:
            done = self._desk.repair(
                incident_id, customers, RepairOrder(state, actor_of(request), self._shell.now(), note)
            )
        except (VersionConflict, ActionRefused) as problem:
            return self._page(request, incident_id, f"Not done: {problem}.", 409)
        if done is None:
            return self._page(request, incident_id, "", 404)
        back = own_path(form.get("back"), f"/incidents/{quote(incident_id, safe='')}")
        return going(f"{back}{'&' if '?' in back else '?'}{urlencode({'done': state.value, 'count': len(done)})}")

    async def _posted(self, request: Request, done: Callable[[Sequence[tuple[str, str]]], Response]) -> Response:
        try:
            fields = await read_form(request)
        except FormRefused as problem:
            return await run_in_threadpool(self._shell.nothing, request, problem.status, str(problem), "/incidents")

        def answer() -> Response:
            try:
                return done(fields)
            except TemporaryError as problem:
                words = f"Not now: {problem}. Send it again in a moment."
                return self._shell.nothing(request, 503, words, "/incidents")

        return await run_in_threadpool(answer)


def _summary(rows: Sequence[IncidentRow], is_part: bool, status: str) -> str:
    if not rows:
        return "No incident is going on." if status == _LIVE else "No incident is like this."
    many = f"{plural(len(rows), 'incident')}{' or more' if is_part else ''}"
    if status != _LIVE:
        return f"{many}."
    customers = sum(row.to_repair for row in rows)
    verb = "is" if len(rows) == 1 else "are"
    return f"{many} {verb} going on; {plural(customers, 'customer')} {'waits' if customers == 1 else 'wait'} to be put right."


def _address(values: Mapping[str, str]) -> str:
    return f"/incidents?{urlencode(values)}"


def _version(form: Mapping[str, str]) -> int | None:
    text = form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
