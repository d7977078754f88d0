"""What a change of alerts means for what stands around them: incidents, places to be found, alerts that they held back.

What enters: a connection in a transaction, changes of alerts.
What leaves: rows that say what is to be looked at again.
The next room: `incidents`, which looks.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.held import let_go
from coordwatch.adapters.sql.incident_tables import incidents, unplaced
from coordwatch.adapters.sql.schema import alerts
from coordwatch.alerts.fold import AlertChange
from coordwatch.alerts.lifecycle import LIVE

_CHUNK = 400


def note_life(connection: Connection, changes: Sequence[AlertChange]) -> None:
    """Note what must be looked at again."""
    came = {one.alert.id: one.alert.raised_at for one in changes if one.alert.status in LIVE and one.before not in LIVE}
    went = sorted({one.alert.id for one in changes if one.alert.status not in LIVE and one.before in LIVE})
    upsert(connection, unplaced, [{"alert": alert, "raised_at": at} for alert, at in came.items()])
    let_go(connection, went, 0)
    known = sorted({one.alert.id for one in changes if one.before is not None})
    for part in _parts(known):
        theirs = select(alerts.c.incident_id).where(alerts.c.id.in_(part), alerts.c.incident_id.is_not(None))
        connection.execute(incidents.update().where(incidents.c.id.in_(theirs)).values(stirred=True))


def _parts(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + _CHUNK] for start in range(0, len(names), _CHUNK))
