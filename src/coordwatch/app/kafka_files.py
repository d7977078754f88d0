"""The files of a person beside a Kafka: out of compacted topics, and the database of the role `alerts`.

What enters: the topics of a site, a customer key or an identifier.
What leaves: the files that `subject export` and `identity explain` read; how many identifiers stand under which key.
The next room: those commands. Nothing is written, no group is joined; what is on its way between stages is not seen yet.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from coordwatch.adapters.kafka.partitioner import partition_of
from coordwatch.adapters.kafka.ranges import Range, read_range
from coordwatch.adapters.kafka.state_rows import StateRows
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.app.content import Content, load_content, progress_of
from coordwatch.app.databases import open_store
from coordwatch.app.over_kafka import OverKafka
from coordwatch.codec import unpack
from coordwatch.context.progress import Progress
from coordwatch.engine.folders import Folders
from coordwatch.engine.retention import derive
from coordwatch.engine.state import CustomerState
from coordwatch.errors import PermanentError
from coordwatch.identity.answers import STAMPED, customer_key
from coordwatch.identity.hops.portrait import Portrait, head_of
from coordwatch.identity.hops.rows import NODE, PARKED, row_key
from coordwatch.identity.policy import IdentityMode
from coordwatch.ports import DeadLetter
from coordwatch.processor import cannot_be_fed
from coordwatch.processor.detecting.rows import BOOK, state_of
from coordwatch.processor.detecting.rows import customer_key as state_key
from coordwatch.processor.holdings import Files, explained
from coordwatch.processor.letters import kept_letter
from coordwatch.processor.stage import Headers
from coordwatch.rules.compile import compile_rules
from coordwatch.rules.plan import Plan
from coordwatch.settings import Settings

_PATIENCE = 300.0

Wanted = Callable[[list[str], bytes], bool]


@dataclass(frozen=True, slots=True)
class _Topics:
    """Rows of a site's compacted topics, as they stand while they are read."""

    site: OverKafka
    plan: Plan

    def heads(self, text: str) -> dict[bytes, bytes]:
        """The nodes that a text names, whether it is an identifier or a customer key."""
        forms, stamped = self.site.identity.forms(text), STAMPED + text
        if self.site.identity.policy.mode is IdentityMode.TRUSTED_ID:
            return {}
        found = self.nodes({stamped, *forms})
        if not found and not forms:
            found = self.scan(
                lambda key, value: key[0] == NODE and head_of(value).minted and customer_key(key[1]) == text
            )
        return found

    def nodes(self, digests: Iterable[str]) -> dict[bytes, bytes]:
        """The nodes of some digests, each in its own partition."""
        found: dict[bytes, bytes] = {}
        rows = StateRows(self.site.access, self.site.topics.identity_state, _PATIENCE)
        wanted: dict[int, set[bytes]] = {}
        for digest in digests:
            partition = partition_of(digest.encode(), self.site.topics.partitions)
            wanted.setdefault(partition, set()).add(row_key(NODE, digest))
        for partition, keys in wanted.items():
            found |= rows.rows(partition, keys.__contains__)
        return found

    def scan(self, wanted: Wanted) -> dict[bytes, bytes]:
        """All rows of the identity state that are wanted, as they stand now."""
        found: dict[bytes, bytes] = {}
        _, records = read_range(self.site.access, Range(self.site.topics.identity_state))
        for record in records:
            key = record.key or b""
            if record.value and wanted(unpack(key), record.value):
                found[key] = record.value
            else:
                found.pop(key, None)
        return found

    def everything(self, heads: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
        """All rows of the people to whom some nodes belong, and every event that waits."""
        if self.site.identity.policy.mode is IdentityMode.TRUSTED_ID:
            return {}
        roots = {root for value in heads.values() if (root := head_of(value).root) is not None}
        theirs = self.scan(lambda key, value: key[0] == NODE and head_of(value).root in roots) if roots else {}
        ids = {unpack(key)[1] for key in (*heads, *theirs)}
        more = self.scan(lambda key, _: key[0] == PARKED or (len(key) > 2 and key[1] in ids))
        return {**heads, **theirs, **more}

    def state(self, customer: str) -> CustomerState:
        """A customer's state, an empty one for a customer nobody knows."""
        rows = StateRows(self.site.access, self.site.topics.detect_state, _PATIENCE)
        partition, mine = partition_of(customer.encode(), self.site.topics.partitions), state_key(customer)
        found = rows.rows(partition, lambda key: key == mine or key.startswith(BOOK))
        return state_of(customer, found, lambda books: Folders(self.plan, derive(self.plan), books))

    def letters(self, store: SqlStore) -> Iterator[DeadLetter]:
        """The dead letters of the database, and those of the topic that are not there."""
        known = set()
        for letter in store.letters():
            known.add(letter.id)
            yield letter
        found: dict[bytes, DeadLetter] = {}
        _, records = read_range(self.site.access, Range(self.site.topics.dead_letters))
        for record in records:
            letter_of = kept_letter(record.value, cast(Headers, record.headers), record.timestamp or 0)
            if letter_of is None:
                found.pop(record.key or b"", None)
            elif letter_of.id not in known:
                found[record.key or b""] = letter_of
        yield from found.values()


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question: who is meant, and everybody's rows that this takes."""

    topics: _Topics
    portrait: Portrait

    def who(self, text: str) -> tuple[set[str], set[str]]:
        """The customers and the digests that the text names, as one process would say."""
        portrait, forms = self.portrait, self.topics.site.identity.forms(text)
        now = portrait.current(text)
        if now is not None or self._is_kept(text):
            return {text, now or text}, set()
        roots = {portrait.of_ids([form]).root for form in forms}
        customers = {customer_key(root) for root in roots if root is not None}
        if self.topics.site.identity.policy.mode is IdentityMode.TRUSTED_ID and not forms:
            customers = {text}
        return customers, set(forms)

    def _is_kept(self, text: str) -> bool:
        state = self.topics.state(text)
        return bool(state.journal.facts or state.entries)


@contextmanager
def kafka_files(site: OverKafka, text: str) -> Iterator[Files]:
    """The files of whoever is called so.

    Raises: PermanentError when the database of the role alerts does not lie here, TemporaryError when nobody answers
    """
    if isinstance(site.settings.database, Path) and not site.settings.database.is_file():
        raise PermanentError(
            f"there is no database {site.settings.database}: run this where the worker with the role alerts keeps its own"
        )
    content = load_content(site.settings)
    asked = _asked(site, content, text)
    with ExitStack() as undo:
        store = open_store(site.settings, cards_of(content.rules), undo)
        topics = asked.topics
        yield Files(asked.portrait, site.identity, asked.who, topics.state, lambda: topics.letters(store), store)


def why_one(site: OverKafka, text: str, masked: str) -> list[dict[str, Any]]:
    """Why the events of whoever is called so are one person's, as `explained` says it; this needs no database."""
    asked = _asked(site, load_content(site.settings), text)
    return explained(asked.portrait, asked.who(text), masked)


def keys_in_use(site: OverKafka) -> dict[str, int]:
    """How many identifiers are known under each key, by its id."""
    rows = _Topics(site, compile_rules([])).scan(lambda key, value: key[0] == NODE and head_of(value).named)
    digests = (unpack(key)[1] for key in rows)
    return dict(Counter(one.partition(":")[0] for one in digests if not one.startswith(STAMPED)))


def _asked(site: OverKafka, content: Content, text: str) -> _Asked:
    topics = _Topics(site, _plan(site.settings, content))
    rows = topics.everything(topics.heads(text))
    portrait = Portrait(site.identity.policy, ((unpack(key), value) for key, value in rows.items()))
    return _Asked(topics, portrait)


def _plan(settings: Settings, content: Content) -> Plan:
    carried = Progress(progress_of(settings, content)).carried()
    return compile_rules([one for one in content.rules if cannot_be_fed(one, carried) is None], display=True)
