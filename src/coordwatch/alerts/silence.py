"""Silences: an operator says that nobody is told of some alerts for a while, and why.

What enters: drafts, changes, the present.
What leaves: silences that are pending, active or expired; which of them hold an alert back.
The next room: `notify`, where a silence is the reason that nobody is told.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID, uuid5

from coordwatch.alerts.alert import ActionRefused, VersionConflict
from coordwatch.alerts.labels import Labels
from coordwatch.alerts.matchers import BadMatcher, Matcher, all_hold, matchers_text, take_everything
from coordwatch.errors import PermanentError
from coordwatch.events.times import DAY

_NAMESPACE = UUID("b1d6f0e2-1c57-5b39-9c34-77c0a4f2e6aa")
LONGEST = 366 * DAY
COMMENT_MAX = 500


class SilenceState(StrEnum):
    """Where a silence is in its life; Alertmanager's words."""

    PENDING = "pending"
    ACTIVE = "active"
    EXPIRED = "expired"


_RANKS = {SilenceState.ACTIVE: 0, SilenceState.PENDING: 1, SilenceState.EXPIRED: 2}


class BadSilence(PermanentError):
    """A silence that says something impossible."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person asks for. Units: `starts_at`, `ends_at` in microseconds since 1970 UTC."""

    matchers: tuple[Matcher, ...]
    starts_at: int
    ends_at: int
    comment: str


@dataclass(frozen=True, slots=True)
class Silence:
    """What holds alerts back for a while. Units: instants in microseconds since 1970 UTC."""

    id: str
    matchers: tuple[Matcher, ...]
    starts_at: int
    ends_at: int
    created_by: str
    created_at: int
    comment: str
    version: int = 1
    updated_by: str = ""
    updated_at: int = 0

    def state(self, now: int) -> SilenceState:
        """Where it is; an instant belongs to exactly one state. Units: microseconds since 1970 UTC."""
        if now >= self.ends_at:
            return SilenceState.EXPIRED
        return SilenceState.ACTIVE if now >= self.starts_at else SilenceState.PENDING

    def holds(self, labels: Labels, now: int) -> bool:
        """Whether it holds an alert with these labels back."""
        return self.state(now) is SilenceState.ACTIVE and all_hold(self.matchers, labels)


def new_silence(draft: Draft, actor: str, now: int) -> Silence:
    """A silence as it was asked for; its id is derived, so that asking twice at once makes one.

    Units:  microseconds since 1970 UTC
    Raises: BadSilence, BadMatcher
    """
    _check(draft, now)
    name = [actor, str(now), matchers_text(draft.matchers), str(draft.starts_at), str(draft.ends_at), draft.comment]
    return Silence(
        id=str(uuid5(_NAMESPACE, "\x1e".join(name))),
        matchers=draft.matchers,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        created_by=actor,
        created_at=now,
        comment=draft.comment.strip(),
        updated_by=actor,
        updated_at=now,
    )


def changed_silence(silence: Silence, draft: Draft, actor: str, now: int, version: int | None) -> Silence:
    """A silence as it is asked for now; what was silent already stays so, hence its start moves only while it is pending.

    Units:  microseconds since 1970 UTC
    Raises: VersionConflict, ActionRefused when it has expired, BadSilence, BadMatcher
    """
    state = _seen(silence, now, version)
    if state is SilenceState.EXPIRED:
        raise ActionRefused("this silence has expired: make a new one, so that its history stays as it was")
    if state is SilenceState.ACTIVE:
        draft = replace(draft, starts_at=silence.starts_at)
    _check(draft, now)
    return replace(
        silence,
        matchers=draft.matchers,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        comment=draft.comment.strip(),
        version=silence.version + 1,
        updated_by=actor,
        updated_at=now,
    )


def expired_silence(silence: Silence, actor: str, now: int, version: int | None) -> Silence:
    """A silence that ends now; one that is pending never begins.

    Units:  microseconds since 1970 UTC
    Raises: VersionConflict, ActionRefused when it has expired already
    """
    if _seen(silence, now, version) is SilenceState.EXPIRED:
        raise ActionRefused("this silence has expired already")
    return replace(
        silence,
        starts_at=min(silence.starts_at, now),
        ends_at=now,
        version=silence.version + 1,
        updated_by=actor,
        updated_at=now,
    )


def silenced_by(silences: Iterable[Silence], labels: Labels, now: int) -> Silence | None:
    """The silence that holds an alert back the longest, None when none does."""
    found = [one for one in silences if one.holds(labels, now)]
    return max(found, key=lambda one: (one.ends_at, one.id), default=None)


def _seen(silence: Silence, now: int, version: int | None) -> SilenceState:
    if version is not None and version != silence.version:
        raise VersionConflict(
            f"the silence is at version {silence.version}, not {version}: load it again and decide anew",
            silence.version,
        )
    return silence.state(now)


def _check(draft: Draft, now: int) -> None:
    if draft.ends_at <= draft.starts_at:
        raise BadSilence("a silence ends after it starts")
    if draft.ends_at <= now:
        raise BadSilence("this silence would be over already: it must end in the future")
    if draft.ends_at - draft.starts_at > LONGEST:
        raise BadSilence("a silence lasts at most a year: what nobody should ever be told is a matter of the rule")
    if not draft.comment.strip():
        raise BadSilence("say why, in the comment: whoever is on call next will ask")
    if len(draft.comment) > COMMENT_MAX:
        raise BadSilence(f"the comment has more than {COMMENT_MAX} characters")
    if take_everything(draft.matchers):
        raise BadMatcher(
            "these matchers would silence every alert: at least one must ask for something, such as severity=low"
        )


def order_of(silence: Silence, now: int) -> tuple[int, int, str]:
    """Its place in a list: active ones that end first at the top; then pending, then expired ones, the newest first."""
    state = silence.state(now)
    return _RANKS[state], -silence.ends_at if state is SilenceState.EXPIRED else silence.ends_at, silence.id
