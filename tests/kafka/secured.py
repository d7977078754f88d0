"""What tests of rights and logins share: access by user, and rights given one by one.

Enters: a Kafka with users and ACLs. Leaves: KafkaAccess values, ACLs that the brokers know.
"""

from collections.abc import Sequence
from typing import NamedTuple

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    ResourcePatternType,
    ResourceType,
)

from coordwatch.adapters.kafka.access import KafkaAccess, Login, Tls
from tests.services.kafka import Cluster
from tests.services.topics import PATIENCE
from tests.services.waiting import wait_until

SCRAM = Login("SCRAM-SHA-512", "cw", "cw-secret")


class Right(NamedTuple):
    """One right; a name that ends in a dot stands for all that begin so."""

    kind: str
    operation: str
    name: str

    @property
    def binding(self) -> AclBinding:
        pattern = ResourcePatternType.PREFIXED if self.name.endswith(".") else ResourcePatternType.LITERAL
        kind, operation = ResourceType[self.kind], AclOperation[self.operation]
        return AclBinding(kind, self.name, pattern, "User:cw", "*", operation, AclPermissionType.ALLOW)


def least_rights(prefix: str, source: str) -> list[Right]:
    """What docs/kafka.md lists."""
    ours = [Right("TOPIC", each, f"{prefix}.") for each in ("CREATE", "DESCRIBE", "DESCRIBE_CONFIGS", "READ", "WRITE")]
    return [
        *ours,
        Right("GROUP", "READ", f"{prefix}."),
        Right("TRANSACTIONAL_ID", "WRITE", f"{prefix}."),
        Right("TOPIC", "READ", source),
    ]


def give(cluster: Cluster, rights: Sequence[Right]) -> None:
    """Let the broker know of rights, and wait until it does."""
    admin = cluster.admin()
    bindings = [right.binding for right in rights]
    for future in admin.create_acls(bindings, request_timeout=PATIENCE).values():
        future.result(PATIENCE)

    def known() -> bool:
        return all(
            admin.describe_acls(
                AclBindingFilter(
                    one.restype, one.name, one.resource_pattern_type, one.principal, one.host, one.operation,
                    one.permission_type,
                ),
                request_timeout=PATIENCE,
            ).result(PATIENCE)
            for one in bindings
        )  # fmt: skip

    wait_until(known, "the broker to know the rights", PATIENCE)


def access_of(cluster: Cluster, login: Login | None = SCRAM, listener: str = "SASLSSL") -> KafkaAccess:
    """The way in that a user has."""
    tls = Tls(cluster.certificates / "ca.pem") if listener != "SASLPLAIN" else None
    return KafkaAccess(cluster.addresses(listener), tls, login)
