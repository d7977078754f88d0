"""The channels of the settings: where people are told, which alerts go there, and what may be reached for it.

Written values enter; frozen parts, or every reason why they cannot be so, leave. Secrets come from the environment or from
files, never from the YAML file. The next room: `app`, which makes of them what the adapters need.
"""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from coordwatch.events.times import DAY, HOUR, MINUTE, SECOND
from coordwatch.settings.parts import Duration, Part, are_networks, twice

CHANNEL_NAME = r"^[a-z0-9][a-z0-9-]{0,47}$"
_MAIL = r"^[^@\s<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,253}$"
_LABEL = r"^[a-zA-Z_][a-zA-Z0-9_]{0,63}$"


class MatchSettings(Part):
    """Which alerts a channel takes: every condition must hold, of each list one value. Nothing written takes all."""

    severity: tuple[Literal["critical", "high", "medium", "low"], ...] = ()
    owner: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()


class ChannelPart(Part):
    """What every channel has: a name, what it takes, and how much it can bear.

    Beyond `singles` alerts in `per`, what comes is gathered for `gather` and told as one message. Units: microseconds once
    read; written as durations
    """

    name: Annotated[str, Field(pattern=CHANNEL_NAME)]
    match: MatchSettings = MatchSettings()
    singles: Annotated[int, Field(ge=0, le=120)] = 10
    per: Duration = MINUTE
    gather: Duration = 10 * SECOND
    show_personal_data: bool = Field(
        default=False,
        description="send mail addresses and telephone numbers as they are, instead of masked as on pages",
    )
    secret_file: Path | None = Field(
        default=None, description="a file with the channel's secret, instead of the environment"
    )

    @model_validator(mode="after")
    def _paces(self) -> "ChannelPart":
        if not SECOND <= self.per <= HOUR:
            raise ValueError("'per' is between 1s and 1h")
        if not SECOND <= self.gather <= DAY:
            raise ValueError("'gather' is between 1s and 1d")
        return self


class SlackChannel(ChannelPart):
    """A channel of Slack, by an app's bot token."""

    kind: Literal["slack"]
    channel: Annotated[str, Field(pattern=r"^[CGD][A-Z0-9]{2,20}$")]
    url: str = "https://slack.com/api"


class PagerDutyChannel(ChannelPart):
    """A service of PagerDuty, by the routing key of its Events API v2 integration."""

    kind: Literal["pagerduty"]
    url: str = "https://events.pagerduty.com/v2/enqueue"


class AlertmanagerChannel(ChannelPart):
    """An Alertmanager; what stands is sent again every `resend`. Its secret, if there is one, is a bearer token."""

    kind: Literal["alertmanager"]
    url: str
    resend: Duration = MINUTE
    labels: dict[Annotated[str, Field(pattern=_LABEL)], str] = Field(default_factory=dict)

    @field_validator("resend")
    @classmethod
    def _resends(cls, value: int) -> int:
        if not SECOND <= value <= HOUR:
            raise ValueError("'resend' is between 1s and 1h")
        return value


class WebhookChannel(ChannelPart):
    """An address of your own; every request is signed with the channel's secret."""

    kind: Literal["webhook"]
    url: str


class EmailChannel(ChannelPart):
    """A list of people who get one mail an interval, `gather`, with everything that came in it."""

    kind: Literal["email"]
    host: str
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    sender: Annotated[str, Field(pattern=_MAIL, alias="from")]
    to: Annotated[tuple[Annotated[str, Field(pattern=_MAIL)], ...], Field(min_length=1, max_length=50)]
    login: str | None = None
    singles: Annotated[int, Field(ge=0, le=120)] = 0
    gather: Duration = 15 * MINUTE


class AppriseChannel(ChannelPart):
    """Whatever Apprise knows; its URLs are the channel's secret, one a line. Needs the extra `notify`."""

    kind: Literal["apprise"]


ChannelSettings = Annotated[
    SlackChannel | PagerDutyChannel | AlertmanagerChannel | WebhookChannel | EmailChannel | AppriseChannel,
    Field(discriminator="kind"),
]


class EgressSettings(Part):
    """What messages may reach besides public addresses, and who vouches for it."""

    allow: tuple[str, ...] = ()
    ca: Path | None = None

    @property
    def networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks that are allowed though they are not public."""
        return tuple(ipaddress.ip_network(one) for one in self.allow)

    @field_validator("allow")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return are_networks(value)


def wrong_with_channels(channels: tuple[ChannelPart, ...], public_url: str | None, canary: str | None) -> Iterator[str]:
    """What of the channels cannot stand together."""
    names = [one.name for one in channels]
    for name in twice(names):
        yield f"two channels are called '{name}': give each its own name"
    if "canary" in names:
        yield "no channel can be called 'canary': that is the one that watches the others"
    if canary is not None and canary not in names:
        yield f"'canary_channel: {canary}' names no channel; the channels are: {', '.join(names) or 'none'}"
    if public_url is not None and urlsplit(public_url).scheme not in ("http", "https"):
        yield "'public_url' is the address of these pages as a browser writes it, such as https://coordwatch.example.com"


def channel_key(name: str) -> str:
    """The name under `channel_secrets` of the secret of a channel: a variable has no hyphens."""
    return name.replace("-", "_")


def signing_key(name: str) -> str:
    """The name under `channel_secrets` of the signing secret of a channel of Slack."""
    return f"{channel_key(name)}_signing"


def channel_variable(key: str) -> str:
    """The environment variable that carries a secret of a channel."""
    return f"COORDWATCH_CHANNEL_SECRETS__{key.upper()}"
