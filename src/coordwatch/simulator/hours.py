"""When the shop's people are there to write to customers.

What enters: nothing. What leaves: a calendar, the same that the shipped rules name; a test compares the two.
"""

from coordwatch.events.times import HOUR
from coordwatch.rules.spec import Calendar

_DAY = ((8 * HOUR, 20 * HOUR),)
_SATURDAY = ((9 * HOUR, 17 * HOUR),)
SUPPORT_HOURS = Calendar(
    name="support-hours",
    zone="Europe/Paris",
    weekly={0: _DAY, 1: _DAY, 2: _DAY, 3: _DAY, 4: _DAY, 5: _SATURDAY},
    holidays=frozenset({"2026-01-01", "2026-05-01", "2026-12-25", "2027-01-01"}),
)
