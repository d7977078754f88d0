"""What could have caused something: rules and mappings as they are used now, remembered since when.

What enters: the content of a site, its store.
What leaves: rows that incidents look at, and a keeper of incidents.
The next rooms: `one_process` and `worker_side`, which begin it.
"""

from hashlib import blake2b
from pathlib import Path

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.causes import CauseKind
from coordwatch.app.content import Content
from coordwatch.clock import Clock
from coordwatch.embedded.incident_keeper import IncidentKeeper, Look
from coordwatch.rules.revision import revision_of


def incident_keeper(store: SqlStore, content: Content, clock: Clock, look: Look) -> IncidentKeeper:
    """A keeper of incidents that knows since when rules and mappings are as they are."""
    incidents, now = store.incidents(), clock.now()
    incidents.note_revisions(CauseKind.RULE_CHANGED, {one.id: revision_of(one) for one in content.rules}, now)
    mappings = {one.tool.get("name") or one.name: _digest(one.place.path) for one in content.mappings}
    incidents.note_revisions(CauseKind.MAPPING_CHANGED, mappings, now)
    return IncidentKeeper(incidents, store.waking(), clock, look)


def _digest(path: str) -> str:
    try:
        return blake2b(Path(path).read_bytes(), digest_size=8).hexdigest()
    except OSError:
        return ""
