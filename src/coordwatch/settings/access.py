"""Who may come in, as the settings say it: local accounts, a provider of identities, or the one token.

Written values enter; frozen parts, or every reason why they cannot be so, leave. The provider's secret comes from the
environment or a file, never from the YAML file. The next room: `app`, which builds the gate from it.
"""

import ipaddress
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator

from coordwatch.access.roles import Role
from coordwatch.events.times import MINUTE
from coordwatch.settings.parts import LOOPBACK, Duration, Part, are_networks

TOKEN_LENGTH_MIN = 16
_DIFFERENT_MIN = 8
# A whole private network at most: a wider one would be the world.
_PROXY_BITS_MIN = {4: 8, 6: 32}
OIDC_SECRET = "COORDWATCH_OIDC_SECRET"  # noqa: S105
# Secrets that stand in documents and examples, ours and others': whoever reads along has them too.
KNOWN_SECRETS = (
    "changeme",
    "change-me",
    "secret",
    "password",
    "token",
    "example",
    "test",
    "coordwatch",
    "0123456789",
    "abcdef",
)


class OidcSettings(Part):
    """A provider of identities (OpenID Connect). `groups` says which role each of its groups gives.

    Without a group that is named here nobody comes in. `second_factor` are values of `amr` or `acr` that prove one. Units:
    `skew`, how far its clock and ours may differ, in microseconds, written as a duration
    """

    issuer: Annotated[str, Field(pattern=r"^https?://[^\s?#]{1,300}$")]
    client_id: Annotated[str, Field(min_length=1, max_length=300)]
    label: Annotated[str, Field(min_length=1, max_length=60)] = "your company account"
    groups: dict[str, Literal["viewer", "operator", "privacy", "admin"]] = Field(default_factory=dict)
    groups_claim: str = "groups"
    name_claim: str = "preferred_username"
    scopes: tuple[Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,100}$")], ...] = ("openid", "profile")
    second_factor: tuple[str, ...] = ("mfa", "otp", "hwk", "swk", "fpt", "face", "sms")
    skew: Duration = MINUTE

    @property
    def roles(self) -> dict[str, Role]:
        """The role that each group gives."""
        return {group: Role(name) for group, name in self.groups.items()}


class AccessSettings(Part):
    """How people sign in. With neither accounts nor a provider nobody does: then the site is open, on this machine only.

    `proxies` are the addresses or networks of our own proxies: only what comes from one of them may say, by X-Forwarded-For,
    where it comes from, and that is used to count tries. Units: `calls`, how many requests a minute one API token may make
    """

    accounts: bool = False
    oidc: OidcSettings | None = None
    admin_needs_second_factor: bool = True
    calls: Annotated[int, Field(ge=1, le=1_000_000)] = 1200
    proxies: tuple[str, ...] = ()

    @property
    def own_proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks of our own proxies."""
        return tuple(ipaddress.ip_network(one) for one in self.proxies)

    @field_validator("proxies")
    @classmethod
    def _are_ours(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in are_networks(value):
            network = ipaddress.ip_network(one)
            if network.prefixlen < _PROXY_BITS_MIN[network.version]:
                raise ValueError(f"'{one}' is too wide: whoever is in it could say that they come from anywhere")
        return value

    @property
    def signs_in(self) -> bool:
        """Whether people sign in here."""
        return self.accounts or self.oidc is not None


def wrong_with_the_door(
    bind: str, host: str, token: SecretStr | None, access: AccessSettings, public_url: str | None
) -> Iterator[str]:
    """What of the door cannot stand."""
    https = (public_url or "").startswith("https://")
    if host not in LOOPBACK and token is None and not access.signs_in:
        yield (
            f"'bind: {bind}' can be reached from other machines, so it needs a secret: set COORDWATCH_TOKEN, "
            "let people sign in ('access: {accounts: true}'), or bind to 127.0.0.1"
        )
    elif token is None and not access.signs_in and (urlsplit(public_url or "").hostname or "127.0.0.1") not in LOOPBACK:
        yield (
            "'public_url' says that others come here by a proxy, so it needs a secret: set COORDWATCH_TOKEN, or let people "
            "sign in ('access: {accounts: true}')"
        )
    if host not in LOOPBACK and access.signs_in and not https:
        yield (
            "people who sign in from other machines need an encrypted way: put a proxy with TLS in front, and write its "
            "address here, such as 'public_url: https://coordwatch.example.com'"
        )
    if token is not None:
        yield from _wrong_with_token(token.get_secret_value())
    if access.oidc is not None and not access.oidc.groups:
        yield "'access.oidc.groups' says which role each group gives, such as {cx-on-call: operator}: without it nobody comes in"
    if access.oidc is not None and "openid" not in access.oidc.scopes:
        yield "'access.oidc.scopes' must name 'openid': without it the provider says nothing about who somebody is"
    if access.oidc is not None and not (urlsplit(access.oidc.issuer).hostname or ""):
        yield "'access.oidc.issuer' is the address of the provider, such as https://login.example.com"


def _wrong_with_token(token: str) -> Iterator[str]:
    if len(token) < TOKEN_LENGTH_MIN:
        yield f"the token must have at least {TOKEN_LENGTH_MIN} characters"
        return
    rest = token.lower()
    for known in KNOWN_SECRETS:
        rest = rest.replace(known, "")
    if len(set(token)) < _DIFFERENT_MIN or len(rest) < _DIFFERENT_MIN:
        yield "this token is one that others would try: make one with: openssl rand -hex 32"
