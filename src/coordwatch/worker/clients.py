"""The clients of one stage: who reads the log, who restores, who is a member; all of one access.

What enters: a KafkaAccess, the stage's group, the slot of this process.
What leaves: clients of librdkafka, and what Faust's member needs to know.
The next room: `driver`, and both runtimes.
"""

from dataclasses import dataclass
from typing import Any

import faust
from confluent_kafka import Consumer

from coordwatch.adapters.kafka import clients
from coordwatch.adapters.kafka.access import OAUTHBEARER, KafkaAccess, tls_context
from coordwatch.events.times import SECOND
from coordwatch.worker.faust_app import Connection
from coordwatch.worker.tokens import ClientTokens
from coordwatch.worker.transaction import Commit, InTurn, Transaction

# A fetch waits 50 ms at most, so that one silent partition does not hold up what a commit is waiting for.
_PROMPT: dict[str, Any] = {"fetch.wait.max.ms": 50, "fetch.queue.backoff.ms": 10, "fetch.error.backoff.ms": 50}
_DEEP: dict[str, Any] = {"queued.min.messages": 50_000, "queued.max.messages.kbytes": 32_768, "check.crcs": False}


@dataclass(frozen=True, slots=True)
class StageClients:
    """Makes the clients of one stage."""

    access: KafkaAccess
    group: str
    slot: str | None
    name: str

    def reader(self, *, committed: bool) -> Consumer:
        """A consumer to restore by, or to ask offsets of."""
        level = "read_committed" if committed else "read_uncommitted"
        return clients.reader(self.access, f"{self.group}.reader", **_PROMPT, **{"isolation.level": level})

    def plane(self) -> Consumer:
        """A consumer for the data plane of the Faust runtime."""
        return clients.reader(self.access, f"{self.group}.plane", **_PROMPT, **_DEEP)

    def member(self, group: str) -> Consumer:
        """A member of the group for the plain runtime. Eager, so that a rebalance is one step: all go, then some come."""
        eager: dict[str, Any] = {"partition.assignment.strategy": "range"}
        return clients.member(self.access, group, self.slot, **_PROMPT, **_DEEP, **eager)

    def way(self, *, transactions: bool = True) -> Commit:
        """How commits are made: in transactions, under an id that fences whoever had this name before, or in turn."""
        if transactions:
            return Transaction(clients.producer(self.access, f"{self.group}.{self.name}"))
        return InTurn(clients.producer(self.access), self.access.session_timeout / SECOND)

    def connection(self, commit_every: int) -> Connection:
        """What Faust's member needs. Units: `commit_every` in microseconds."""
        return Connection(
            servers=tuple(self.access.bootstrap.split(",")),
            group=self.group,
            instance=self.slot,
            session=self.access.session_timeout / SECOND,
            commit_every=commit_every / SECOND,
            credentials=credentials_of(self.access),
        )


def credentials_of(access: KafkaAccess) -> Any:
    """Faust's credentials for an access, None for a plain connection."""
    context, login = tls_context(access), access.login
    if login is None:
        return None if context is None else faust.SSLCredentials(context)
    if login.mechanism == OAUTHBEARER:
        return faust.OAuthCredentials(oauth_cb=ClientTokens(login), ssl_context=context)
    return faust.SASLCredentials(
        username=login.name, password=login.secret, ssl_context=context, mechanism=login.mechanism
    )
