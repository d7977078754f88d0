"""Recipes: how most tools sign, as data. A keyed hash over the raw body, written into one header.

What enters: a Recipe and the secrets. What leaves: a Check. The next room: `schemes`, which holds those that sign otherwise.
Source: each vendor's own page on its webhooks, as docs/sources/webhooks.md lists them.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from coordwatch.adapters.http_api.hooks.proofs import (
    Doubt,
    DoubtError,
    Proof,
    Sent,
    any_equal,
    decoded,
    fingerprint,
    header_of,
    mac,
    wrong,
)
from coordwatch.events.times import DAY, MINUTE
from coordwatch.sources.timestamps import FORMATS

Check = Callable[[Sent], Proof]
_PART = re.compile(r"\{(body|timestamp|url)\}")


class BadSecretError(ValueError):
    """A secret that cannot be one; the message says what one looks like, and never the secret."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a tool signs: which header, over what, written how.

    Takes:  `signed`, in which {body}, {timestamp} and {url} stand for what was sent; `url` is the address that the tool
            was told to post to
    Units:  `window` in microseconds: how old a signed time may be
    """

    header: str
    encoding: Literal["hex", "base64"] = "base64"
    hash: Literal["sha256", "sha1", "sha512"] = "sha256"
    prefix: str = ""
    signed: str = "{body}"
    timestamp: str = ""
    clock: Literal["epoch_s", "epoch_ms", "iso"] = "epoch_s"
    window: int = 5 * MINUTE
    nfkd: bool = False


RECIPES: Mapping[str, Recipe] = {
    "aftership": Recipe("AfterShip-Hmac-Sha256"),
    "customerio": Recipe(
        "X-CIO-Signature", "hex", signed="v0:{timestamp}:{body}", timestamp="X-CIO-Timestamp", window=DAY
    ),
    "easypost": Recipe("X-Hmac-Signature", "hex", prefix="hmac-sha256-hex=", nfkd=True),
    "hubspot": Recipe(
        "X-HubSpot-Signature-v3",
        signed="POST{url}{body}{timestamp}",
        timestamp="X-HubSpot-Request-Timestamp",
        clock="epoch_ms",
    ),
    "intercom": Recipe("X-Hub-Signature", "hex", "sha1", prefix="sha1="),
    "klaviyo": Recipe(
        "Klaviyo-Signature", "hex", signed="{body}{timestamp}", timestamp="Klaviyo-Timestamp", window=DAY
    ),
    "meta": Recipe("X-Hub-Signature-256", "hex", prefix="sha256="),
    "segment": Recipe("X-Signature", "hex", "sha1"),
    "shopify": Recipe("X-Shopify-Hmac-Sha256"),
    "slack": Recipe("X-Slack-Signature", "hex", prefix="v0=", signed="v0:{timestamp}:{body}", timestamp="X-Slack-Request-Timestamp"),
    "zendesk": Recipe(
        "X-Zendesk-Webhook-Signature",
        signed="{timestamp}{body}",
        timestamp="X-Zendesk-Webhook-Signature-Timestamp",
        clock="iso",
    ),
}  # fmt: skip


def check_of(recipe: Recipe, secrets: Sequence[str], url: str) -> Check:
    """Make the check of a recipe; each secret is as good as the others."""
    keys = [(unicodedata.normalize("NFKD", one) if recipe.nfkd else one).encode() for one in secrets]
    parts = _PART.split(recipe.signed)

    def check(sent: Sent) -> Proof:
        given = header_of(sent, recipe.header).strip()
        if not given.startswith(recipe.prefix):
            raise DoubtError(Doubt.MALFORMED, f"{recipe.header} does not begin with '{recipe.prefix}'")
        signature = decoded(given.removeprefix(recipe.prefix), recipe.encoding, recipe.header)
        time = header_of(sent, recipe.timestamp) if recipe.timestamp else ""
        known = {"body": sent.body, "timestamp": time.encode("latin-1"), "url": url.encode()}
        # Every second part is a name, what lies between is taken as it is written.
        message = b"".join(known[part] if number % 2 else part.encode() for number, part in enumerate(parts))
        if not any_equal([signature], [mac(key, message, recipe.hash) for key in keys]):
            raise wrong()
        at = signed_time(time, recipe.clock, recipe.timestamp) if recipe.timestamp else None
        return Proof(fingerprint(signature) if recipe.timestamp else None, at)

    return check


def signed_time(text: str, clock: str, name: str) -> int:
    """The time that a sender signed. Units: microseconds since 1970 UTC.

    Raises: DoubtError
    """
    at = FORMATS[clock](text)
    if at is None:
        raise DoubtError(Doubt.MALFORMED, f"{name} is no time as {clock}")
    return at
