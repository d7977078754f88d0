"""Settings: one frozen tree from a file, the environment and secrets, checked as a whole.

A YAML file, `COORDWATCH_*` variables and files under the secrets folder enter; Settings, or a DocumentError that names
every mistake with its place, leave. The next room: `app`, which builds the program from it.
"""

from coordwatch.settings.access import AccessSettings, OidcSettings
from coordwatch.settings.channels import (
    AlertmanagerChannel,
    AppriseChannel,
    ChannelSettings,
    EmailChannel,
    PagerDutyChannel,
    SlackChannel,
    WebhookChannel,
    channel_key,
    channel_variable,
    signing_key,
)
from coordwatch.settings.kafka import DeadLetterLimit, KafkaInput, KafkaSettings, RegistrySettings, SecuritySettings
from coordwatch.settings.parts import LOOPBACK, Progressing
from coordwatch.settings.reading import demo_settings, for_serve, for_worker, read_settings
from coordwatch.settings.tree import (
    FileInput,
    HttpInput,
    IdentitySettings,
    InputSettings,
    Settings,
    SimulatorInput,
    SourcesSettings,
    WebhookInput,
    webhook_key,
    webhook_variable,
)

__all__ = [
    "LOOPBACK",
    "AccessSettings",
    "AlertmanagerChannel",
    "AppriseChannel",
    "ChannelSettings",
    "DeadLetterLimit",
    "EmailChannel",
    "FileInput",
    "HttpInput",
    "IdentitySettings",
    "InputSettings",
    "KafkaInput",
    "KafkaSettings",
    "OidcSettings",
    "PagerDutyChannel",
    "Progressing",
    "RegistrySettings",
    "SecuritySettings",
    "Settings",
    "SimulatorInput",
    "SlackChannel",
    "SourcesSettings",
    "WebhookChannel",
    "WebhookInput",
    "channel_key",
    "channel_variable",
    "demo_settings",
    "for_serve",
    "for_worker",
    "read_settings",
    "signing_key",
    "webhook_key",
    "webhook_variable",
]
