"""Dead letters and customers as the API lists them, page by page.

What enters: views of `ports`. What leaves: their JSON. The next room: `reading`, which answers with it.
"""

from datetime import datetime

from coordwatch.adapters.http_api.shapes import Shape
from coordwatch.events.times import to_datetime
from coordwatch.ports import CustomerRow, DeadLetter


class DeadLetterItem(Shape):
    """Something that could not be used; `original` is its bytes in base64, `preview` what can be read of them."""

    id: str
    origin: str
    stage: str
    reason: str
    detail: str
    path: str | None
    at: datetime
    original: str
    preview: str


class DeadLetterPage(Shape):
    """A page of dead letters; `next` is the cursor of the next page, null on the last."""

    items: list[DeadLetterItem]
    next: str | None


class CustomerItem(Shape):
    """One customer as a list shows them: open alerts, all alerts, the worst severity that is open."""

    key: str
    open: int
    total: int
    severity: str | None
    last_at: datetime


class CustomerPage(Shape):
    """A page of customers; `next` is the cursor of the next page, null on the last."""

    items: list[CustomerItem]
    next: str | None


def customer_item(row: CustomerRow) -> CustomerItem:
    """A customer as JSON shows them."""
    return CustomerItem(
        key=row.key, open=row.open, total=row.total, severity=row.severity, last_at=to_datetime(row.last_at)
    )


def dead_letter_item(letter: DeadLetter, encoded: str) -> DeadLetterItem:
    """A dead letter as JSON shows it; `encoded` is its original in base64."""
    return DeadLetterItem(
        id=letter.id,
        origin=letter.origin,
        stage=letter.stage,
        reason=letter.reason,
        detail=letter.detail,
        path=letter.path,
        at=to_datetime(letter.at),
        original=encoded,
        preview=letter.original[:300].decode("utf-8", "replace"),
    )
