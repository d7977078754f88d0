"""Wording: a message in plain English, for every channel the same, and the history of telling for the alert's page.

What enters: Messages, the address of the pages.
What leaves: a title, a text, links.
The next room: `adapters/channels`, which lay them out in each channel's own form.
"""

from collections.abc import Sequence
from urllib.parse import quote

from coordwatch.alerts.words import time_words
from coordwatch.events.words import number_words
from coordwatch.notify.message import OVER, Message

_STATUS = {
    "open": "open",
    "acknowledged": "acknowledged",
    "snoozed": "snoozed",
    "resolved": "resolved",
    "retracted": "retracted: what arrived later showed that there was no conflict",
    "not_a_conflict": "marked as not a conflict",
    OVER: "over",
}


def status_words(status: str) -> str:
    """A status as people say it."""
    return _STATUS.get(status, status.replace("_", " "))


def title_of(message: Message) -> str:
    """One line: the sentence of one alert, or how many there are of what."""
    if not message.many or (message.total == 1 and message.lines):
        return _one_line(message.lines[0].sentence) if message.lines else "An alert that was forgotten"
    rules = len(message.shares)
    what = f"of {message.shares[0].title}" if rules == 1 else f"of {rules} rules"
    alerts = "alert" if message.total == 1 else "alerts"
    return f"{number_words(message.total)} {alerts} {what}, told together"


def facts_of(message: Message) -> str:
    """Severity, status and owner in one line."""
    if message.many:
        state = "all are over" if message.is_over else f"{number_words(message.live)} not over yet"
        return f"{message.severity} at worst; {state}"
    if not message.lines:
        return status_words(message.status)
    line = message.lines[0]
    owner = f"; owner {line.owner}" if line.owner else ""
    return f"{line.severity}; {status_words(line.status)}{owner}; {time_words(line.at)}"


def shares_of(message: Message) -> list[str]:
    """What a message about many holds, by rule, most first."""
    order = sorted(message.shares, key=lambda one: (-one.count, one.rule))
    return [f"{number_words(one.count)} × {one.title} ({one.severity})" for one in order]


def sentences_of(message: Message) -> list[str]:
    """The first few of many, and how many more there are."""
    said = [_one_line(one.sentence) for one in message.lines]
    rest = message.total - len(said)
    return [*said, f"and {number_words(rest)} more"] if rest > 0 else said


def text_of(message: Message, site: str) -> str:
    """The whole message as plain text."""
    if not message.many:
        return "\n".join([title_of(message), facts_of(message), link_of(message, site)]).rstrip()
    return "\n".join(
        [
            title_of(message),
            facts_of(message),
            "",
            *shares_of(message),
            "",
            *(f"- {one}" for one in sentences_of(message)),
            "",
            link_of(message, site),
        ]
    ).rstrip()


def link_of(message: Message, site: str) -> str:
    """Where the page is; empty when nobody said at which address the pages are."""
    if not site:
        return ""
    if not message.many and message.lines and message.lines[0].alert:
        return f"{site}/alerts/{quote(message.lines[0].alert, safe='')}"
    rules: Sequence[str] = [one.rule for one in message.shares]
    return f"{site}/?rule={quote(rules[0], safe='')}" if len(rules) == 1 and message.many else f"{site}/"


def _one_line(text: str) -> str:
    """Text without line ends and other control characters, so that it cannot pretend to be a second line or a header."""
    return " ".join("".join(one if one.isprintable() or one == " " else " " for one in text).split())
