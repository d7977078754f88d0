"""The webhook door put together: for each input of kind `webhook` its check, with the secrets that the site gave.

What enters: Settings. What leaves: Hooks, or a PermanentError that names the input and the next move, and never a secret.
The next room: `one_process`.
"""

from collections.abc import Iterator
from pathlib import Path

from coordwatch.adapters.egress import Egress
from coordwatch.adapters.http_api.hooks.fetched import Fetched
from coordwatch.adapters.http_api.hooks.hook import Hook
from coordwatch.adapters.http_api.hooks.recipes import BadSecretError
from coordwatch.adapters.http_api.hooks.schemes import (
    CHECKS,
    FETCHES,
    PLAIN,
    USUAL,
    WITH_ADDRESS,
    WITH_HEADER,
    WITHOUT_SECRET,
    check_named,
    window_of,
)
from coordwatch.adapters.posting import Poster
from coordwatch.app.content import source_of
from coordwatch.clock import SystemClock
from coordwatch.documents import did_you_mean
from coordwatch.errors import PermanentError
from coordwatch.settings import Settings, WebhookInput, webhook_key, webhook_variable

PLAIN_SECRET_MIN = 16
SECRETS_MAX = 8


def hooks_of(settings: Settings) -> dict[str, Hook]:
    """Make the addresses of the webhook door, by name.

    Raises: PermanentError
    """
    chosen = [one for one in settings.inputs if isinstance(one, WebhookInput)]
    unknown = sorted(settings.webhooks.keys() - {webhook_key(one.name) for one in chosen})
    if unknown:
        name = unknown[0]
        raise PermanentError(f"{webhook_variable(name)} is set, and no input of kind webhook is called '{name}'")
    return {one.name: _hook(one, settings) for one in chosen}


def _hook(one: WebhookInput, settings: Settings) -> Hook:
    source = source_of(one) or one.name
    name = one.check or USUAL.get(source)
    if name is None:
        raise PermanentError(
            f"input '{one.name}': say how its tool proves who it is: write check: with one of: {', '.join(CHECKS)}; "
            "bearer, basic or header for a tool that cannot sign"
        )
    if name not in CHECKS:
        hint = did_you_mean(name, CHECKS) or f"one of: {', '.join(CHECKS)}"
        raise PermanentError(f"input '{one.name}': no check is called '{name}': {hint}")
    _see_what_goes_with(one, name)
    try:
        keys = _keys(settings) if name in FETCHES else None
        check = check_named(name, list(_secrets(one, name, settings)), one.url or "", one.header or "", keys)
    except BadSecretError as error:
        raise PermanentError(f"input '{one.name}': {error}") from None
    window = window_of(name) if one.window is None else one.window
    return Hook(one.name, source, check, window, one.limit, (one.header or "").lower())


def _keys(settings: Settings) -> Fetched:
    """What fetches the public keys of tools; it asks nobody yet."""
    wall = SystemClock()
    poster = Poster(Egress(settings.egress.networks), wall, settings.egress.ca)
    return Fetched(lambda url: poster.get(url, {"Accept": "*/*"}), wall)


def _see_what_goes_with(one: WebhookInput, name: str) -> None:
    if (name in WITH_ADDRESS) != (one.url is not None):
        move = "write url: with the address as the tool knows it" if one.url is None else "take url: away"
        raise PermanentError(f"input '{one.name}': the check '{name}' {_does(one.url is None)} the address: {move}")
    if (name in WITH_HEADER) != (one.header is not None):
        move = (
            "write header: with its name" if one.header is None else "take header: away, or write check: header or hmac"
        )
        raise PermanentError(f"input '{one.name}': {move}")


def _does(signs: bool) -> str:
    return "signs" if signs else "does not sign"


def _secrets(one: WebhookInput, name: str, settings: Settings) -> Iterator[str]:
    given = settings.webhooks.get(webhook_key(one.name))
    found = [] if given is None else given.get_secret_value().split()
    for path in one.secret_files:
        found += [line.strip() for line in _lines(one, path) if line.strip()]
    if name in WITHOUT_SECRET:
        if found:
            raise PermanentError(f"input '{one.name}': its check '{name}' needs no secret: take it away")
        return
    if not found:
        variable = webhook_variable(one.name)
        raise PermanentError(
            f"input '{one.name}': its check '{name}' needs a secret: set {variable}, or write the file {variable.lower()} in "
            "the folder COORDWATCH_SECRETS_DIR, or name files under secret_files; while one is exchanged, give both"
        )
    if len(found) > SECRETS_MAX:
        raise PermanentError(f"input '{one.name}': {len(found)} secrets, the most is {SECRETS_MAX}: take old ones away")
    if name in PLAIN and min(map(len, found)) < PLAIN_SECRET_MIN:
        raise PermanentError(
            f"input '{one.name}': a secret for '{name}' has at least {PLAIN_SECRET_MIN} characters; make one with: "
            "openssl rand -hex 32"
        )
    yield from found


def _lines(one: WebhookInput, path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise PermanentError(f"input '{one.name}': the secret file {path} is not UTF-8 text") from None
    except OSError as error:
        raise PermanentError(f"input '{one.name}': the secret file {path} cannot be read: {error.strerror}") from None
