"""The commands that put a Kafka right, as an administrator types them: what is missing in, one line of shell out.

They are named in refusals and printed by `doctor`; nothing here runs them.
"""

import shlex
from collections.abc import Mapping, Sequence

from coordwatch.adapters.kafka.access import OAUTHBEARER, KafkaAccess

ADMINISTRATOR = "admin.properties"
"""Stands for the administrator's own way in; left out of the commands where the brokers ask for none."""


def principal_of(access: KafkaAccess) -> str:
    """Who we are to the brokers' access control, as far as it can be known from here."""
    login = access.login
    if login is None:
        return "User:ANONYMOUS" if access.tls is None or access.tls.certificate is None else "User:CN=..."
    return f"User:{login.name}" if login.mechanism != OAUTHBEARER else "User:..."


def allow(access: KafkaAccess, operations: Sequence[str], kind: str, names: Sequence[str]) -> str:
    """Allow operations on resources; a name that ends in a dot stands for all that begin so.

    Takes: `kind` is topic, group or transactional-id
    """
    words = ["kafka-acls.sh", *_connection(access), "--add", "--allow-principal", principal_of(access)]
    for operation in operations:
        words += ["--operation", operation]
    for name in names:
        words += [f"--{kind}", name]
    if any(name.endswith(".") for name in names):
        words += ["--resource-pattern-type", "prefixed"]
    return shlex.join(words)


def create(access: KafkaAccess, name: str, partitions: int, replication: int, config: Mapping[str, str]) -> str:
    """Create a topic."""
    words = ["kafka-topics.sh", *_connection(access), "--create", "--topic", name]
    words += ["--partitions", str(partitions), "--replication-factor", str(replication)]
    for key, value in sorted(config.items()):
        words += ["--config", f"{key}={value}"]
    return shlex.join(words)


def configure(access: KafkaAccess, name: str, **config: str) -> str:
    """Change how a topic is kept; underscores stand for the dots of Kafka's names."""
    added = ",".join(f"{key.replace('_', '.')}={value}" for key, value in config.items())
    words = ["kafka-configs.sh", *_connection(access), "--alter", "--entity-type", "topics", "--entity-name", name]
    return shlex.join([*words, "--add-config", added])


def _connection(access: KafkaAccess) -> list[str]:
    words = ["--bootstrap-server", access.bootstrap]
    return words if access.protocol == "plaintext" else [*words, "--command-config", ADMINISTRATOR]
