"""The names that may be written in each part of the settings, so that a misspelt one finds its neighbour.

Enters: a place in the settings. Leaves: names. The next room: `reading`, which says what is wrong.
"""

from collections.abc import Mapping, Sequence

from pydantic import BaseModel

from coordwatch.settings.access import AccessSettings, OidcSettings
from coordwatch.settings.channels import (
    AlertmanagerChannel,
    AppriseChannel,
    EgressSettings,
    EmailChannel,
    MatchSettings,
    PagerDutyChannel,
    SlackChannel,
    WebhookChannel,
)
from coordwatch.settings.kafka import (
    DeadLetterLimit,
    KafkaInput,
    KafkaSettings,
    RegistrySettings,
    SecuritySettings,
    SuppressionSettings,
)
from coordwatch.settings.parts import AuditSettings, RetentionSettings
from coordwatch.settings.quiet import InhibitSettings, MaintenanceSettings
from coordwatch.settings.routing import (
    EscalationSettings,
    HoursSettings,
    ReceiverSettings,
    RouteSettings,
    SpanSettings,
    TimesSettings,
)
from coordwatch.settings.tree import (
    FileInput,
    HttpInput,
    IdentitySettings,
    Settings,
    SimulatorInput,
    SourcesSettings,
    WebhookInput,
)


def known_names(location: Sequence[int | str]) -> list[str]:
    """What may be written at a place: the names of the part that it lies in."""
    models: Mapping[str, tuple[type[BaseModel], ...]] = {
        "": (Settings,),
        "sources": (SourcesSettings,),
        "identity": (IdentitySettings,),
        "retention": (RetentionSettings,),
        "inputs": (FileInput, HttpInput, WebhookInput, SimulatorInput, KafkaInput),
        "channels": (SlackChannel, PagerDutyChannel, AlertmanagerChannel, WebhookChannel, EmailChannel, AppriseChannel),
        "channels.match": (MatchSettings,),
        "egress": (EgressSettings,),
        "audit": (AuditSettings,),
        "access": (AccessSettings,),
        "access.oidc": (OidcSettings,),
        "route": (RouteSettings,),
        "route.escalate": (EscalationSettings,),
        "receivers": (ReceiverSettings,),
        "time_intervals": (HoursSettings,),
        "inhibit_rules": (InhibitSettings,),
        "maintenance": (MaintenanceSettings,),
        "time_intervals.time_intervals": (SpanSettings,),
        "time_intervals.time_intervals.times": (TimesSettings,),
        "kafka": (KafkaSettings,),
        "kafka.security": (SecuritySettings,),
        "kafka.registry": (RegistrySettings,),
        "kafka.dead_letter_limit": (DeadLetterLimit,),
        "kafka.suppressions": (SuppressionSettings,),
    }
    words = [part for part in location if isinstance(part, str)]
    if words[:1] == ["route"]:
        words = [
            "route",
            *([] if words[-1] in ("route", "routes") else words[-1:]),
        ]  # the tree is as deep as its writer likes
    parent = ".".join(words)
    return [field.alias or name for model in models.get(parent, ()) for name, field in model.model_fields.items()]
