"""What a test asks of its Kafka, and what that is in Kafka's own words.

Enters: `Options`. Leaves: the text of each node's server.properties; `kafka` starts it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.services.processes import LOOPBACK

ADMIN, ADMIN_PASSWORD = "admin", "admin-secret"
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "OAUTHBEARER")
INSIDE, CONTROLLER = "PLAINTEXT", "CONTROLLER"
OUTSIDE = {"SASLSSL": "SASL_SSL", "SASLPLAIN": "SASL_PLAINTEXT", "MTLS": "SSL"}


@dataclass(frozen=True, slots=True)
class Options:
    """The Kafka that is wanted.

    `users` (name to password) opens further listeners beside the plain one: SASL over TLS, SASL alone, and TLS with
    client certificates. `acls` then denies what no ACL allows, to everybody but the admin and whoever comes in by the
    plain listener. `properties` are put after the others and win. `ports` fixes where the plain listeners are. `java`
    is said to the nodes' Java in place of where it finds its classes loaded.
    """

    nodes: int = 1
    users: Mapping[str, str] = field(default_factory=dict)
    acls: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[int, ...] = ()
    heap: str = "384m"
    java: tuple[str, ...] = ()

    @property
    def listeners(self) -> tuple[str, ...]:
        return (INSIDE, *OUTSIDE) if self.users else (INSIDE,)


@dataclass(frozen=True, slots=True)
class Place:
    """One node: its number, its ports by listener, and its folder."""

    number: int
    ports: Mapping[str, int]
    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / "server.properties"


def server_properties(options: Options, place: Place, all_places: tuple[Place, ...], pem: Path) -> str:
    """Give the server.properties of one node; `pem` is the folder of the certificates, read only with `users`."""
    copies = str(min(3, options.nodes))
    voters = ",".join(f"{each.number}@{LOOPBACK}:{each.ports[CONTROLLER]}" for each in all_places)
    advertised = ",".join(f"{name}://{LOOPBACK}:{place.ports[name]}" for name in options.listeners)
    kinds = {CONTROLLER: INSIDE, INSIDE: INSIDE, **(OUTSIDE if options.users else {})}
    said = {
        "process.roles": "broker,controller",
        "node.id": str(place.number),
        "controller.quorum.voters": voters,
        "controller.listener.names": CONTROLLER,
        "listeners": f"{advertised},{CONTROLLER}://{LOOPBACK}:{place.ports[CONTROLLER]}",
        "advertised.listeners": advertised,
        "listener.security.protocol.map": ",".join(f"{name}:{kind}" for name, kind in kinds.items()),
        "inter.broker.listener.name": INSIDE,
        "log.dirs": str(place.folder / "data"),
        "offsets.topic.replication.factor": copies,
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": copies,
        "transaction.state.log.min.isr": "2" if options.nodes > 2 else "1",
        "transaction.state.log.num.partitions": "4",
        "min.insync.replicas": "2" if options.nodes > 2 else "1",
        "default.replication.factor": copies,
        "auto.create.topics.enable": "false",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "2000",
        # A compaction is seen by a test that waits for it.
        "log.cleaner.backoff.ms": "500",
        "log.cleaner.dedupe.buffer.size": "8388608",
        # A killed node is missed, and another leads, within seconds.
        "broker.session.timeout.ms": "6000",
        "controller.quorum.election.timeout.ms": "1000",
        "controller.quorum.fetch.timeout.ms": "4000",
    }
    if options.users:
        said |= _security(pem)
    if options.acls:
        said |= {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
        }
    said |= options.properties
    return "".join(f"{name}={value}\n" for name, value in said.items())


def _security(pem: Path) -> dict[str, str]:
    common = "org.apache.kafka.common.security"
    scram = f'{common}.scram.ScramLoginModule required username="{ADMIN}" password="{ADMIN_PASSWORD}";'
    # A token without signature: the name in it is believed. It is how a client's way to a token is tried, no more.
    unsigned = f'{common}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="{ADMIN}";'
    said = {
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pem / "broker.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(pem / "ca.pem"),
        "listener.name.mtls.ssl.client.auth": "required",
    }
    for listener in ("saslssl", "saslplain"):
        for mechanism in MECHANISMS:
            name = f"listener.name.{listener}.{mechanism.lower()}.sasl.jaas.config"
            said[name] = unsigned if mechanism == "OAUTHBEARER" else scram
    return said
