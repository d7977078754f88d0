"""What the core needs from the world: store, clock, readers; and the plain views that pages and the API show.

Adapters implement these; the embedded runtime and the worker call them. A view is data only, ready to be printed.
"""

from coordwatch.engine.ledger import Count
from coordwatch.engine.views import CustomerView, FactView, StateView, WaitingView
from coordwatch.ports.incidents import (
    INCIDENT_FILTERS,
    INCIDENT_SORTS,
    IncidentDesk,
    IncidentRow,
    IncidentTotals,
    IncidentView,
    RepairOrder,
)
from coordwatch.ports.readers import (
    ALERT_FILTERS,
    ALERT_SORTS,
    AlertDesk,
    AlertReader,
    SilenceDesk,
    Waiting,
    Waking,
)
from coordwatch.ports.shelf import VIEWS_MOST, Moved, RuleVersion, SavedView, Shelf, ViewCheck, anything
from coordwatch.ports.stores import (
    Books,
    BookStore,
    DeadLetter,
    Effects,
    Store,
)
from coordwatch.ports.views import (
    AlertRow,
    AlertView,
    AuditEntry,
    CampaignRow,
    CustomerRow,
    DecidedRepair,
    PairCount,
    RuleCounts,
    SettingView,
    SourceView,
    ToolCount,
    ToolView,
)
from coordwatch.rules.explanation import ExplainStep

__all__ = [
    "ALERT_FILTERS",
    "ALERT_SORTS",
    "INCIDENT_FILTERS",
    "INCIDENT_SORTS",
    "VIEWS_MOST",
    "AlertDesk",
    "AlertReader",
    "AlertRow",
    "AlertView",
    "AuditEntry",
    "BookStore",
    "Books",
    "CampaignRow",
    "Count",
    "CustomerRow",
    "CustomerView",
    "DeadLetter",
    "DecidedRepair",
    "Effects",
    "ExplainStep",
    "FactView",
    "IncidentDesk",
    "IncidentRow",
    "IncidentTotals",
    "IncidentView",
    "Moved",
    "PairCount",
    "RepairOrder",
    "RuleCounts",
    "RuleVersion",
    "SavedView",
    "SettingView",
    "Shelf",
    "SilenceDesk",
    "SourceView",
    "StateView",
    "Store",
    "ToolCount",
    "ToolView",
    "ViewCheck",
    "Waiting",
    "WaitingView",
    "Waking",
    "anything",
]
