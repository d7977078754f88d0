"""Reaching the brokers: one look at whether they can be spoken to at all, and why not.

What enters: a KafkaAccess. What leaves: an admin client with the brokers and topics that it was shown, or a Finding that
tells a wrong password from a wrong authority from a wrong address. The next rooms: `topics` and `rights`.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from coordwatch.adapters.kafka.access import OAUTHBEARER, KafkaAccess, tls_context
from coordwatch.adapters.kafka.apis import Apis, SpeaksTlsError, ask
from coordwatch.adapters.kafka.clients import admin
from coordwatch.adapters.kafka.findings import Finding

PATIENCE = 15.0
ABOUT = "brokers"
_LOOK = 1.0
_ASK = 3.0
_LOGIN = (KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED, KafkaError.UNSUPPORTED_SASL_MECHANISM)
_VARIABLE = "COORDWATCH_KAFKA__SECURITY__"


@dataclass(frozen=True, slots=True)
class Reached:
    """A cluster that answers. `topics` are those that we may see, with the number of their partitions."""

    admin: AdminClient
    brokers: Mapping[int, str]
    topics: Mapping[str, int]


def reach(access: KafkaAccess, patience: float = PATIENCE) -> Reached | Finding:
    """Ask the brokers who they are; what waiting cannot change, seen twice, ends the asking.

    Units:  `patience` in seconds
    Raises: PermanentError when a file of TLS cannot be used
    """
    heard: list[KafkaError] = []
    client = admin(access, heard.append)
    why: Finding | None = None
    for _ in range(max(1, round(patience / _LOOK))):
        try:
            seen = client.list_topics(timeout=_LOOK)
        except KafkaException as error:
            client.poll(0)
            before = why
            why = _refused_login(access, heard) or _why_not(access, error.args[0])
            if why == before and not why.temporary:
                return why
            continue
        brokers = {number: f"{one.host}:{one.port}" for number, one in seen.brokers.items()}
        topics = {name: len(one.partitions) for name, one in seen.topics.items() if one.error is None}
        return Reached(client, brokers, topics)
    assert why is not None
    return why


@dataclass(frozen=True, slots=True)
class Abilities:
    """What each broker that answers can do, and which ones do not."""

    apis: Mapping[str, Apis]
    findings: tuple[Finding, ...]


def ask_all(access: KafkaAccess, reached: Reached) -> Abilities:
    """Ask every broker at the address that it advertises.

    Raises: PermanentError when a file of TLS cannot be used
    """
    apis: dict[str, Apis] = {}
    findings: list[Finding] = []
    for address in reached.brokers.values():
        try:
            apis[address] = ask(split_host(address), tls_context(access), _ASK)
        except OSError as error:
            text = f"a broker advertises {address} and does not answer there ({error.strerror or error})"
            move = "start it, or correct its advertised.listeners"
            findings.append(Finding(ABOUT, text, move, bad=False, temporary=True))
    return Abilities(apis, tuple(findings))


def split_host(address: str) -> tuple[str, int]:
    """The host and port of one address; the settings have seen to it that it has both."""
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _refused_login(access: KafkaAccess, heard: list[KafkaError]) -> Finding | None:
    login = access.login
    error = next((one for one in heard if one.code() in _LOGIN), None)
    if login is None or error is None:
        return None
    text = f"the brokers do not let '{login.name}' in by {login.mechanism} ({_short(error)})"
    if login.mechanism == OAUTHBEARER:
        return Finding(
            ABOUT, text, f"check token_endpoint, client_id and scope, and the secret in {_VARIABLE}CLIENT_SECRET"
        )
    return Finding(ABOUT, text, f"check username and mechanism, and the password in {_VARIABLE}PASSWORD")


def _why_not(access: KafkaAccess, error: KafkaError) -> Finding:
    """Ask each address by hand, since the client says of most failures only that they are some."""
    closed = error.code() == KafkaError._TRANSPORT
    found = [_why_not_at(access, address, closed) for address in access.bootstrap.split(",")]
    return next((one for one in found if not one.temporary), found[0])


def _why_not_at(access: KafkaAccess, address: str, closed: bool) -> Finding:
    try:
        ask(split_host(address), tls_context(access), _ASK)
    except SpeaksTlsError:
        move = "write kafka.security: {protocol: ssl}, or sasl_ssl with a login"
        return Finding(ABOUT, f"{address} speaks TLS, and kafka.security says {access.protocol}", move)
    except ssl.SSLCertVerificationError as error:
        move = "name the authority that signed it, kafka.security: {ca: PATH}, and brokers by the names in it"
        return Finding(ABOUT, f"the certificate of {address} is not trusted ({error.verify_message})", move)
    except ssl.SSLEOFError:
        move = "name its TLS listener in kafka.bootstrap, or another kafka.security.protocol"
        return Finding(ABOUT, f"{address} does not speak TLS, and kafka.security says {access.protocol}", move)
    except ssl.SSLError as error:
        move = "check kafka.security: {certificate: PATH, key: PATH}; the brokers must know who signed it"
        return Finding(ABOUT, f"TLS with {address} fails ({error.reason or type(error).__name__})", move)
    except OSError as error:
        move = "start it, or correct kafka.bootstrap"
        return Finding(ABOUT, f"no broker answers at {address} ({error.strerror or error})", move, temporary=True)
    if access.login is None and closed:
        move = "write kafka.security: {protocol: sasl_ssl, mechanism: SCRAM-SHA-512, username: ...}"
        return Finding(ABOUT, f"{address} asks for a login, and kafka.security has none", move)
    move = "look at the brokers' log, and at what they advertise (advertised.listeners)"
    return Finding(ABOUT, f"{address} answers, and then no broker does", move, temporary=True)


def _short(error: KafkaError) -> str:
    """What librdkafka says, without the thread that says it, the address and the time that it took."""
    said = error.str()
    said = said[said.find("]:") + 2 :].strip() if "[thrd:" in said else said
    said = said.split("/bootstrap: ")[-1]
    return said.partition(" (after ")[0][:200]
