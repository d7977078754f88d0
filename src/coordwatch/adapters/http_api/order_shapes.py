"""What people ask to be done to an alert, as JSON.

What enters: bodies from outside.
What leaves: pydantic models.
The next room: `alerts`, which makes Orders of them.
"""

from typing import Annotated, Literal

from pydantic import Field

from coordwatch.adapters.http_api.shapes import Shape
from coordwatch.alerts.waking import ABOUT_MAX, WakeWhen


class OrderBody(Shape):
    """What to do. `version` is the one that was seen: a 409 says that the alert has moved on.

    `until` ends a snooze: an instant (RFC 3339) or a duration (`4h`); without it the next detection ends it. `when` and `about`
    are one of the alert's `conditions`: the snooze ends when that has come true, and at `until` or in a week at the latest.
    """

    version: int | None = None
    note: Annotated[str, Field(max_length=2000)] = ""
    until: Annotated[str | None, Field(max_length=40)] = None
    actor: Annotated[str | None, Field(min_length=1, max_length=80)] = None
    when: WakeWhen | None = None
    about: Annotated[str | None, Field(min_length=1, max_length=ABOUT_MAX)] = None
    because: Annotated[
        Literal["intended", "wrong_data", "wrong_person", "too_wide"] | None,
        Field(description="why it is not a conflict; it goes into the precision of the rule"),
    ] = None
