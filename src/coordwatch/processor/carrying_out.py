"""Carrying out: what people and tools ask of the one writer beside its records: forget, let back, keep apart.

What enters: requests that wait in the store, and events that say a person must be forgotten. What leaves: one batch with all
that they change, and a receipt for each. The next room: `processor`, which commits the batch.
"""

from collections.abc import Sequence
from dataclasses import replace

from coordwatch.engine.rows import taught_rows
from coordwatch.events.event import Event
from coordwatch.identity.policy import SUBJECT
from coordwatch.processor.erasing import Erasing
from coordwatch.processor.requests import KEPT, REQUESTS, Receipt, Request, RequestKind, deed_of, request_id, request_of
from coordwatch.processor.work import Work

BY_EVENT = "event"


def carry_out(work: Work, rows: Sequence[tuple[str, bytes]]) -> list[Receipt]:
    """Do what waits in these rows, and take the rows away."""
    receipts = []
    for key, value in rows:
        request = request_of(key, value)
        receipt = _DOES[request.kind](work, request)
        receipts.append(receipt)
        work.deeds.append(deed_of(receipt))
        name, row = receipt.row()
        work.batch.values[f"{REQUESTS}{request.id}"] = None
        work.batch.values[name] = row
    return receipts


def forget_named(work: Work, events: Sequence[Event]) -> None:
    """Forget whom these events name, although nobody may know them yet."""
    for event in events:
        erasing = Erasing(work)
        customers, digests = erasing.named_by(event)
        who = (*customers, *digests, *((event.subject,) if event.subject else ()))
        request = Request(request_id(event.source, event.id), RequestKind.FORGET, who, BY_EVENT, event.time)
        erasing.forget(customers | ({event.subject} if event.subject else set()), digests)
        receipt = _receipt(work, request, erasing)
        work.deeds.append(deed_of(receipt))
        name, row = receipt.row()
        work.batch.values[name] = row


def _forget(work: Work, request: Request) -> Receipt:
    erasing = Erasing(work)
    customers: set[str] = set()
    digests: set[str] = set()
    for text in request.who:
        some, forms = erasing.who(text)
        customers |= some
        digests |= forms
    if not customers and not digests:
        return replace(
            _receipt(work, request, erasing),
            problem="nobody is known by this: give a customer key, or an identifier such as email:ann@example.com",
        )
    erasing.forget(customers, digests)
    return _receipt(work, request, erasing)


def _lift(work: Work, request: Request) -> Receipt:
    """Let back whoever these name: what comes about them from now on is taken again."""
    erasing, kept = Erasing(work), work.rooms.kept
    names = {*request.who, *(form for text in request.who for form in work.identity.forms(text))}
    gone = kept.lift(one.removeprefix(f"{SUBJECT}:") for one in names)
    work.batch.values.update(dict.fromkeys(f"{KEPT}{entry}" for entry in gone))
    erasing.erased["entries"] += len(gone)
    return _receipt(work, request, erasing)


def _split(work: Work, request: Request) -> Receipt:
    """Keep two identifiers apart, and move what was filed because they were together."""
    ends = [next(iter(work.identity.forms(text)), None) for text in request.who]
    receipt = _receipt(work, request, Erasing(work))
    if len(ends) != 2 or None in ends or len(set(ends)) < 2:
        return replace(receipt, problem="give two different identifiers, such as email:ann@example.com cookie:K-7")
    one, other = (str(end) for end in ends)
    exclusion = work.identity.exclude(one, other)
    work.batch.values.update(taught_rows(exclusion.taught))
    work.refile(exclusion.change)
    work.release(exclusion.released)
    moved = {"edges": len(exclusion.taught.apart), "customers": len(exclusion.change.divided)}
    return replace(receipt, erased={}, moved=moved)


_DOES = {RequestKind.FORGET: _forget, RequestKind.LIFT: _lift, RequestKind.SPLIT: _split}


def _receipt(work: Work, request: Request, erasing: Erasing) -> Receipt:
    reference = work.rooms.identity.policy.digester.kept_away("\x1f".join(sorted(request.who)))
    erased = {name: amount for name, amount in erasing.erased.items() if amount}
    return Receipt(request.id, request.kind, request.by, request.at, work.now, reference, erased)
