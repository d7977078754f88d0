"""Mail: digests by SMTP, as plain text and as simple HTML, under a Message-ID that a repeat has again.

What enters: Work. What leaves: one mail each.
The next room: `sender`.
"""

import smtplib
import socket
import ssl
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as MAIL_POLICY
from email.utils import format_datetime
from functools import partial
from html import escape
from typing import Literal

from coordwatch.adapters.channels.receiver import attempt
from coordwatch.adapters.egress import Egress
from coordwatch.adapters.posting import TIMEOUT
from coordwatch.events.times import to_datetime
from coordwatch.notify.delivery import Answer, again, delivered, refused
from coordwatch.notify.message import Message
from coordwatch.notify.outbox import Work
from coordwatch.notify.wording import facts_of, link_of, sentences_of, shares_of, text_of, title_of

_SUBJECT_MAX = 200


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where mail is handed in, from whom and to whom. Units: `timeout` of a whole mail, in seconds."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    sender: str
    to: tuple[str, ...]
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 3 * TIMEOUT


@dataclass(frozen=True, slots=True)
class Mail:
    """One list of people."""

    box: Mailbox
    egress: Egress
    tls: ssl.SSLContext = field(repr=False)
    site: str = ""
    at_once: int = 1

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Hand in one mail for each message."""
        return [attempt(partial(self._send, work)) for work in works]

    def _send(self, work: Work) -> Answer:
        box = self.box
        number = self.egress.number(box.host, box.port, encrypted=box.security != "none")
        client = _Pinned(number, box, self.tls)
        alarm = threading.Timer(box.timeout, client.cut)
        alarm.daemon = True
        alarm.start()
        try:
            client.connect(box.host, box.port)
            return self._hand_in(client, work)
        except (smtplib.SMTPException, OSError) as error:
            return _meaning(error)
        finally:
            alarm.cancel()
            client.close()

    def _hand_in(self, client: smtplib.SMTP, work: Work) -> Answer:
        box = self.box
        if box.security == "starttls":
            client.starttls(context=self.tls)
        if box.login is not None:
            client.login(box.login, box.password or "")
        left = client.send_message(mail_of(work, box, self.site), box.sender, list(box.to))
        # From here on it is handed in: how the goodbye goes changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            client.quit()
        if left:
            return delivered(
                f"handed in; refused for {len(left)} of {len(box.to)} people: {_said(next(iter(left.values())))}"
            )
        return delivered("handed in")


class _Pinned(smtplib.SMTP):
    """A client of the number that was checked."""

    def __init__(self, number: str, box: Mailbox, tls: ssl.SSLContext) -> None:
        super().__init__(timeout=box.timeout)
        self._number, self._box, self._context, self._host = number, box, tls, box.host

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        plain = socket.create_connection((self._number, port), timeout)
        if self._box.security == "tls":
            return self._context.wrap_socket(plain, server_hostname=host)
        return plain

    def cut(self) -> None:
        """End whatever goes on, from another thread."""
        if self.sock is not None:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_RDWR)


def _meaning(error: Exception) -> Answer:
    """What an SMTP error asks for: 4xx come again, 5xx never."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return refused(f"the mail server does not offer what the settings ask for: {error}")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        words = f"every address was refused: {_said(next(iter(error.recipients.values())))}"
        return again(words, sure=True) if any(code < 500 for code in codes) else refused(words)
    if isinstance(error, smtplib.SMTPResponseException):
        words = _said((error.smtp_code, error.smtp_error))
        return refused(words) if error.smtp_code >= 500 else again(words)
    return again(f"the mail server does not answer ({type(error).__name__}: {error})")


def _said(answer: tuple[int, bytes | str]) -> str:
    code, text = answer
    return f"{code} {text.decode('utf-8', 'replace') if isinstance(text, bytes) else text}"[:200]


def mail_of(work: Work, box: Mailbox, site: str) -> EmailMessage:
    """The mail of a message."""
    message = work.message
    mail = EmailMessage(policy=MAIL_POLICY)
    mail["Subject"] = f"[{message.severity}] {title_of(message)}"[:_SUBJECT_MAX]
    mail["From"] = Address("coordwatch", addr_spec=box.sender)
    mail["To"] = ", ".join(box.to)
    mail["Date"] = format_datetime(to_datetime(work.now))
    mail["Message-ID"] = f"<{message.id}.{message.version}@{box.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Coordwatch-Subject"] = message.subject
    mail.set_content(text_of(message, site) + "\n")
    mail.add_alternative(html_of(message, site), subtype="html")
    return mail


def html_of(message: Message, site: str) -> str:
    """The same as simple HTML."""
    parts = [f"<p><strong>{escape(title_of(message))}</strong></p>", f"<p>{escape(facts_of(message))}</p>"]
    if message.many:
        parts.append("<ul>" + "".join(f"<li>{escape(one)}</li>" for one in shares_of(message)) + "</ul>")
        parts.append("<ol>" + "".join(f"<li>{escape(one)}</li>" for one in sentences_of(message)) + "</ol>")
    link = link_of(message, site)
    if link:
        parts.append(f'<p><a href="{escape(link)}">Open in coordwatch</a></p>')
    return f'<!doctype html><html lang="en"><body>{"".join(parts)}</body></html>'
