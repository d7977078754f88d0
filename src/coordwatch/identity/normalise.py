"""Equal identifiers become equal text, and values that name nobody are refused with a reason.

What enters: an Identifier as a tool wrote it. What leaves: the Identifier in its one form, or Unusable.
The next room: `digest`, which hides it.
"""

import re
import unicodedata

import idna

from coordwatch.identity.digest import EMAIL
from coordwatch.identity.identifier import IdClass, Identifier, Unusable, UnusableReason, type_word
from coordwatch.identity.phones import phone_form
from coordwatch.identity.policy import NOBODY, SUBJECT, IdentityPolicy

_RAW_MAX = 2000
_EMAIL_MAX = 254
_LOCAL_MAX = 64
_ZEROS = re.compile(r"[0\-]+")
# A lone surrogate cannot be written as UTF-8, so it could not be digested.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_QUOTED = re.compile(r"""(["'`]).*\1""", re.DOTALL)
_LOCAL = re.compile(r"[^\s@<>()\[\],;:\"\\]+")
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")
_HASH_BY_LENGTH = {32: "email_md5", 40: "email_sha1", 64: "email_sha256"}
_HASH_LENGTHS = {name: length for length, name in _HASH_BY_LENGTH.items()}
_HEX = re.compile(r"[0-9a-f]+")
_UNSCOPED = (EMAIL, "phone", SUBJECT, *_HASH_LENGTHS)


def normalise(identifier: Identifier, policy: IdentityPolicy, tool: str | None = None) -> Identifier | Unusable:
    """Bring an identifier to its one form: trimmed, NFC, unquoted, and as its type demands; never raises.

    Takes: `tool`, the one that wrote it: a national telephone number is one of that tool's region
    """
    name = type_word(identifier.type)
    value = _tidy(identifier.value)
    if isinstance(value, UnusableReason):
        return Unusable(name, value)
    if reason := _refusal(name, value, policy):
        return Unusable(name, reason)
    if name == "hashed_email":
        name = _HASH_BY_LENGTH.get(len(value), name)
    if name in _UNSCOPED or name == "hashed_email":
        formed = _form(name, value, policy, tool)
        return Unusable(name, formed) if isinstance(formed, UnusableReason) else Identifier(name, "", formed)
    if "\0" in name or "\0" in identifier.namespace:
        return Unusable("", UnusableReason.MALFORMED)
    return Identifier(name, identifier.namespace.strip(), value)


def _tidy(value: str) -> str | UnusableReason:
    """Trim, compose and unquote a value."""
    if len(value) > _RAW_MAX:
        return UnusableReason.TOO_LONG
    value = (value if value.isascii() else unicodedata.normalize("NFC", value)).strip()
    while len(value) > 1 and _QUOTED.fullmatch(value):
        value = value[1:-1].strip()
    if not value:
        return UnusableReason.EMPTY
    if _UNPRINTABLE.search(value):
        return UnusableReason.MALFORMED
    return value


def _refusal(name: str, value: str, policy: IdentityPolicy) -> UnusableReason | None:
    """Give why a tidy value names nobody, whatever its form."""
    if name in NOBODY:
        return UnusableReason.NOBODY
    if name == SUBJECT:
        return None
    if value.lower() in policy.blocked or _ZEROS.fullmatch(value):
        return UnusableReason.BLOCKED
    if len(value) > policy.length_max:
        return UnusableReason.TOO_LONG
    if len(value) < policy.length_min and policy.class_of(name) is not IdClass.REF:
        return UnusableReason.TOO_SHORT
    return None


def _form(name: str, value: str, policy: IdentityPolicy, tool: str | None) -> str | UnusableReason:
    """Give the value in the form that its type demands."""
    match name:
        case "email":
            return _email(value, policy)
        case "phone":
            return phone_form(value, policy.region(tool))
        case "subject":
            return value
        case _:
            value = value.lower()
            right = len(value) == _HASH_LENGTHS.get(name) and _HEX.fullmatch(value)
            return value if right else UnusableReason.MALFORMED


def _email(value: str, policy: IdentityPolicy) -> str | UnusableReason:
    """Lower-case an address and write its domain in ASCII.

    Dots and plus tags stay where the site does not say otherwise, for they may be two people; nothing that only looks
    alike is made equal.
    """
    if len(value) > _EMAIL_MAX:
        return UnusableReason.TOO_LONG
    local, at, domain = value.removeprefix("mailto:").lower().rpartition("@")
    if not at or len(local) > _LOCAL_MAX or not _LOCAL.fullmatch(local):
        return UnusableReason.MALFORMED
    ascii_domain = _domain(domain)
    if ascii_domain is None:
        return UnusableReason.MALFORMED
    if local.partition("+")[0] in policy.functional_mailboxes and (
        not policy.own_domains or ascii_domain in policy.own_domains
    ):
        return UnusableReason.FUNCTIONAL_MAILBOX
    if ascii_domain in policy.plus_domains:
        local = local.partition("+")[0] or local
    if ascii_domain in policy.dot_domains:
        local = local.replace(".", "") or local
    return f"{local}@{ascii_domain}"


def _domain(written: str) -> str | None:
    """Give a domain as a registry knows it (IDNA 2008), None for what cannot be one."""
    domain = written.rstrip(".")
    if not domain.isascii():
        try:
            domain = idna.encode(domain, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return None
    return domain if _DOMAIN.fullmatch(domain) else None
