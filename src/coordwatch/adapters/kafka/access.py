"""Access to a Kafka: everything that a client must know, as one value, and the settings of librdkafka that follow from it.

What enters: a KafkaAccess, made by `app` from the settings. What leaves: configurations for librdkafka, and for clients
of other libraries a TLS context and plain values. The next room: `clients`, which makes librdkafka's own.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coordwatch.errors import PermanentError

PARTITIONER = "murmur2_random"
"""Java's, so that a key lies in one partition whoever writes it; librdkafka's own default puts it elsewhere."""

RECORD_BYTES_MAX = 100_000_000
"""No limit of ours: the topic's own `max.message.bytes` decides, and the broker says so."""

OAUTHBEARER = "OAUTHBEARER"
_MILLISECOND = 1000


@dataclass(frozen=True, slots=True)
class Tls:
    """Whom we trust, and who we are. Without a `ca`, the authorities of this machine are trusted."""

    ca: Path | None = None
    certificate: Path | None = None
    key: Path | None = None
    key_password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a broker that asks for a name: of a user, or of a client at `token_endpoint` (OAUTHBEARER)."""

    mechanism: str
    name: str
    secret: str = field(repr=False)
    token_endpoint: str = ""
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """What a client needs. Units: `session_timeout` in microseconds; it also bounds how long a transaction stays open."""

    bootstrap: str = "127.0.0.1:9092"
    tls: Tls | None = None
    login: Login | None = None
    session_timeout: int = 10_000_000

    @property
    def protocol(self) -> str:
        """The security protocol, as librdkafka and Kafka call it."""
        if self.login is None:
            return "plaintext" if self.tls is None else "ssl"
        return "sasl_plaintext" if self.tls is None else "sasl_ssl"


def client_settings(access: KafkaAccess) -> dict[str, Any]:
    """What every client of librdkafka is given."""
    settings: dict[str, Any] = {
        "bootstrap.servers": access.bootstrap,
        "client.id": "coordwatch",
        "security.protocol": access.protocol,
        "socket.keepalive.enable": True,
        "enable.metrics.push": False,
    }
    if access.tls is not None:
        settings |= _tls(access.tls)
    if access.login is not None:
        settings |= _login(access.login)
    return settings


def _tls(tls: Tls) -> dict[str, Any]:
    named = {
        "ssl.ca.location": tls.ca,
        "ssl.certificate.location": tls.certificate,
        "ssl.key.location": tls.key,
        "ssl.key.password": tls.key_password,
    }
    return {
        "enable.ssl.certificate.verification": True,
        "ssl.endpoint.identification.algorithm": "https",
        **{name: str(value) for name, value in named.items() if value is not None},
    }


def _login(login: Login) -> dict[str, Any]:
    if login.mechanism != OAUTHBEARER:
        return {"sasl.mechanism": login.mechanism, "sasl.username": login.name, "sasl.password": login.secret}
    settings = {
        "sasl.mechanism": OAUTHBEARER,
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": login.name,
        "sasl.oauthbearer.client.secret": login.secret,
        "sasl.oauthbearer.token.endpoint.url": login.token_endpoint,
    }
    return settings if login.scope is None else settings | {"sasl.oauthbearer.scope": login.scope}


def producer_settings(access: KafkaAccess, transactional_id: str | None = None) -> dict[str, Any]:
    """What every producer is given; with an id, its transactions end with the session at the latest."""
    settings = client_settings(access) | {
        "partitioner": PARTITIONER,
        "enable.idempotence": True,
        "acks": "all",
        "compression.type": "lz4",
        "message.max.bytes": RECORD_BYTES_MAX,
        # A commit hands over everything that it writes at once.
        "queue.buffering.max.messages": 2_000_000,
    }
    if transactional_id is None:
        return settings
    milliseconds = access.session_timeout // _MILLISECOND
    return settings | {"transactional.id": transactional_id, "transaction.timeout.ms": milliseconds}


def reader_settings(access: KafkaAccess, group: str) -> dict[str, Any]:
    """What a consumer is given that is assigned its partitions by us: it joins no group and commits nothing.

    librdkafka wants a group's name all the same; nothing is ever stored under it.
    """
    return client_settings(access) | {
        "group.id": group,
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "allow.auto.create.topics": False,
    }


def group_settings(access: KafkaAccess, group: str, slot: str | None = None, reset: str = "error") -> dict[str, Any]:
    """What a member of a consumer group is given; `slot` makes it a static one, `reset` is for a group without offsets."""
    milliseconds = access.session_timeout // _MILLISECOND
    settings = reader_settings(access, group) | {
        "auto.offset.reset": reset,
        "session.timeout.ms": milliseconds,
        "heartbeat.interval.ms": max(milliseconds // 4, 100),
        # Eager: whoever takes partitions over has restored them before anybody reads on.
        "partition.assignment.strategy": "roundrobin",
    }
    return settings if slot is None else settings | {"group.instance.id": slot}


def tls_context(access: KafkaAccess) -> ssl.SSLContext | None:
    """The TLS context for clients of other libraries, None without TLS. Names and certificates are always verified.

    Raises: PermanentError when a file of it cannot be used
    """
    tls = access.tls
    if tls is None:
        return None
    try:
        context = ssl.create_default_context(cafile=None if tls.ca is None else str(tls.ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.certificate is not None:
            # Without a password of ours, OpenSSL would ask for one at the terminal.
            context.load_cert_chain(tls.certificate, tls.key, password=lambda: tls.key_password or "")
    except (OSError, ValueError) as error:
        names = ", ".join(str(path) for path in (tls.ca, tls.certificate, tls.key) if path is not None)
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None) or type(error).__name__
        raise PermanentError(
            f"kafka.security: {names} cannot be used ({reason}): name PEM files of this user"
        ) from None
    return context
