"""Folding: detections become alerts by `once_per` and `quiet`, without changing any detection (RULES 29).

What enters: one DetectionChange, the rule cards and a book of what is filed.
What leaves: the alerts it touched, written into the book.
The next room: `notify`, which reads the AlertChange.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from coordwatch.alerts.alert import ENGINE, Alert, Entry, Standing, alert_id, moved_by_engine
from coordwatch.alerts.card import RuleCard, unknown_card
from coordwatch.alerts.lifecycle import AlertAction, AlertStatus
from coordwatch.alerts.say import face_of, fold_values
from coordwatch.events.words import duration_words
from coordwatch.rules.detection import Detection, DetectionChange, DetectionStatus


@dataclass(frozen=True, slots=True)
class Filed:
    """A detection as it is filed: what stands of it, and the alert it belongs to (None for a rule without alerts)."""

    detection: Detection
    status: DetectionStatus
    alert: str | None


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What happened to one alert; `before` is its status before, None for a new one; `action` None is an amendment."""

    action: AlertAction | None
    alert: Alert
    before: AlertStatus | None


class AlertBook(Protocol):
    """Where detections and alerts are filed while one commit is folded; later reads see earlier writes."""

    def filed(self, detection: str) -> Filed | None:
        """A detection by its id."""
        ...

    def file(self, filed: Filed) -> None:
        """Keep a detection under its id, in place of what was there."""
        ...

    def newest_standing(self, alert: str) -> Detection | None:
        """The latest detection of an alert that is not retracted, by (at, id)."""
        ...

    def alert(self, alert: str) -> Alert | None:
        """An alert by its id."""
        ...

    def nearest_alert(self, rule: str, key: tuple[str, ...], after: int, before: int) -> Alert | None:
        """The latest alert under a key with `last_at > after` and `first_at < before`."""
        ...

    def save(self, alert: Alert, entry: Entry | None) -> None:
        """Keep an alert and one line of its audit trail."""
        ...


def fold(book: AlertBook, change: DetectionChange, cards: Mapping[str, RuleCard], now: int) -> list[AlertChange]:
    """File one detection change and give the alerts that changed by it, usually one.

    Units: `now` in microseconds since 1970 UTC
    """
    detection = change.detection
    status = DetectionStatus.RETRACTED if change.kind == "retracted" else detection.status
    before = book.filed(detection.id)
    if before is not None and status is DetectionStatus.RETRACTED:
        # What was said is kept: the page of a retracted alert still shows what it was about.
        change = replace(change, detection=before.detection)
    card = cards.get(detection.rule) or unknown_card(detection.rule)
    folding = _Folding(book, card, change, status, now)
    if before is None or before.alert is None:
        if status is DetectionStatus.RETRACTED or not card.raises_alerts:
            book.file(Filed(detection, status, None))
            return []
        return [folding.into_home()]
    home = book.alert(before.alert)
    assert home is not None, "a filed detection names an alert that is kept"
    stays = status is DetectionStatus.RETRACTED or not card.raises_alerts
    if stays or fold_values(card, detection) == home.key:
        return list(folding.inside(home, before))
    return [*folding.out_of(home, before), folding.into_home()]


@dataclass(frozen=True, slots=True)
class _Folding:
    book: AlertBook
    card: RuleCard
    change: DetectionChange
    status: DetectionStatus
    now: int

    def into_home(self) -> AlertChange:
        """File the detection under the alert that is near, or under a new one."""
        detection = self.change.detection
        key = fold_values(self.card, detection)
        quiet = self.card.quiet
        home = self.book.nearest_alert(self.card.id, key, detection.at - quiet, detection.at + quiet)
        if home is None:
            home = self.book.alert(alert_id(self.card.id, key, detection.id))
        if home is None:
            return self._new(key)
        self._file(home.id)
        grown = replace(
            home,
            first_at=min(home.first_at, detection.at),
            last_at=max(home.last_at, detection.at),
            standing=_moved_count(home.standing, None, self.status),
        )
        return self._save(home, grown, is_new_here=True)

    def inside(self, home: Alert, before: Filed) -> Iterator[AlertChange]:
        """The detection stays where it is; what stands of it may have changed."""
        self._file(home.id)
        standing = _moved_count(home.standing, before.status, self.status)
        came_back = before.status is not DetectionStatus.OPEN and self.status is DetectionStatus.OPEN
        yield self._save(home, replace(home, standing=standing), is_new_here=came_back)

    def out_of(self, home: Alert, before: Filed) -> Iterator[AlertChange]:
        """The evidence changed the key: the detection leaves its alert."""
        self._file(None)
        standing = _moved_count(home.standing, before.status, None)
        yield self._save(home, replace(home, standing=standing), is_new_here=False)

    def _new(self, key: tuple[str, ...]) -> AlertChange:
        detection = self.change.detection
        alert = Alert(
            id=alert_id(self.card.id, key, detection.id),
            rule=self.card.id,
            key=key,
            anchor=detection.id,
            status=AlertStatus.OPEN,
            version=1,
            raised_at=self.now,
            first_at=detection.at,
            last_at=detection.at,
            standing=_moved_count(Standing(), None, self.status),
            face=face_of(self.card, detection),
        )
        self._file(alert.id)
        entry = Entry(self.now, ENGINE, AlertAction.RAISE, "")
        self.book.save(alert, entry)
        if self.status is not DetectionStatus.MADE_GOOD:
            return AlertChange(AlertAction.RAISE, alert, None)
        alert, made_good = moved_by_engine(alert, AlertAction.MADE_GOOD, self.now, self._note(AlertAction.MADE_GOOD))
        self.book.save(alert, made_good)
        return AlertChange(AlertAction.MADE_GOOD, alert, None)

    def _save(self, before: Alert, after: Alert, *, is_new_here: bool) -> AlertChange:
        action = _action(before.standing, after.standing, is_new_here)
        newest = self.book.newest_standing(after.id)
        if newest is not None:
            after = replace(after, face=face_of(self.card, newest))
        if action is None:
            self.book.save(after, None)
            return AlertChange(None, after, before.status)
        after, entry = moved_by_engine(after, action, self.now, self._note(action))
        self.book.save(after, entry)
        return AlertChange(action, after, before.status)

    def _file(self, alert: str | None) -> None:
        self.book.file(Filed(self.change.detection, self.status, alert))

    def _note(self, action: AlertAction) -> str:
        if action is AlertAction.RETRACT:
            return self.change.reason.value.replace("_", " ") if self.change.reason else ""
        if action is AlertAction.MADE_GOOD:
            detection = self.change.detection
            late = [one for one in detection.evidence if one.step == self.card.expects]
            return f"{duration_words(late[0].time - detection.at)} late" if late else ""
        return ""


def _action(before: Standing, after: Standing, is_new_here: bool) -> AlertAction | None:
    """What the change of standing means for the alert; None when it is only an amendment."""
    if after.open and is_new_here:
        return AlertAction.REPEAT
    if after.open:
        return None
    if after.made_good:
        return AlertAction.MADE_GOOD if before.open or not before.made_good else None
    return AlertAction.RETRACT if before.count else None


def _moved_count(standing: Standing, old: DetectionStatus | None, new: DetectionStatus | None) -> Standing:
    counts = {
        DetectionStatus.OPEN: standing.open,
        DetectionStatus.MADE_GOOD: standing.made_good,
        DetectionStatus.RETRACTED: standing.retracted,
    }
    if old is not None:
        counts[old] -= 1
    if new is not None:
        counts[new] += 1
    return Standing(*counts.values())
