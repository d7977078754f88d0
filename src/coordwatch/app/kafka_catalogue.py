"""The catalogue of a site beside a Kafka: the compacted topic that its settings name.

What enters: Settings, the mappings, a way to Kafka. What leaves: a Feed that follows the topic, or the catalogue as it stands.
The next rooms: `worker`, and `judging` for histories of topics.
"""

from collections.abc import Sequence
from contextlib import closing

from coordwatch.adapters.catalogue_keeper import Edit
from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.kafka.catalogue_topic import CatalogueTopic
from coordwatch.adapters.mapping_files import known_to
from coordwatch.sources.catalogue import Catalogue, parse_catalogue
from coordwatch.sources.mapping import SourceMapping


class TopicFeed:
    """Follows the topic, as the keeper asks for it."""

    def __init__(self, topic: CatalogueTopic) -> None:
        self._topic = topic

    @property
    def where(self) -> str:
        """The topic."""
        return self._topic.where

    @property
    def now(self) -> Edit:
        """How it stands."""
        return Edit(self._topic.parts.catalogue, self._topic.parts.problems)

    def look(self) -> Edit | None:
        """What changed."""
        return self.now if self._topic.look() else None

    def close(self) -> None:
        """Let go of the connection."""
        self._topic.close()


def follow(access: KafkaAccess, topic: str, mappings: Sequence[SourceMapping]) -> TopicFeed:
    """Read the topic to its end, and follow it from there.

    Raises: TemporaryError when it cannot be read
    """
    known = known_to(mappings)
    return TopicFeed(CatalogueTopic(access, topic, lambda text, place: parse_catalogue(text, place, known)))


def catalogue_now(access: KafkaAccess, topic: str, mappings: Sequence[SourceMapping]) -> Catalogue:
    """Read the topic once. Raises: as `follow`."""
    with closing(follow(access, topic, mappings)) as feed:
        return feed.now.catalogue or Catalogue()
