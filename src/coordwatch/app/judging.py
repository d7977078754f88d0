"""What of a site a history is judged with, apart from everything that runs: rules, identity, mappings, the way to Kafka.

What enters: a settings file, or none. What leaves: what `replay` and `backtest` take from it. The next room:
`kafka_history`, which copies ranges of topics.
"""

from dataclasses import dataclass
from pathlib import Path

from coordwatch.adapters.kafka.access import KafkaAccess
from coordwatch.adapters.key_file import Key
from coordwatch.adapters.mapping_files import SourceFiles, load_sources
from coordwatch.app.content import identity_policy, kafka_access, keys_of
from coordwatch.documents import did_you_mean
from coordwatch.errors import PermanentError
from coordwatch.identity.policy import IdentityPolicy
from coordwatch.processor import CANONICAL
from coordwatch.settings import Settings, read_settings
from coordwatch.sources.decode import SchemaDecoder
from coordwatch.sources.mapper import Mapper

# Customers in a history of its own need a key of their own only: nothing of it is kept.
_PASSING_KEY = b"a history apart"


@dataclass(frozen=True, slots=True)
class Site:
    """A site, as far as a history needs it; without a settings file, what ships."""

    settings: Settings | None

    @property
    def rules(self) -> list[Path] | None:
        """The rules of the site, None for the packs that ship."""
        return (list(self.settings.rules) or None) if self.settings is not None else None

    @property
    def identity(self) -> IdentityPolicy | None:
        """How customers are found."""
        if self.settings is None:
            return None
        passing = self.settings.identity.key is None
        return identity_policy(self.settings, [Key(_PASSING_KEY)] if passing else keys_of(self.settings))

    def access(self, bootstrap: str | None) -> KafkaAccess:
        """The way to Kafka; brokers that ask for no login may be named by their address alone.

        Raises: PermanentError when nobody says where it is
        """
        if bootstrap is not None:
            return KafkaAccess(bootstrap)
        if self.settings is not None and self.settings.kafka is not None:
            return kafka_access(self.settings.kafka)
        raise PermanentError(
            "--kafka: which brokers? Name a settings file with a kafka part (--config), or --bootstrap"
        )

    @property
    def catalogue_topic(self) -> str | None:
        """The topic on which the site's catalogue stands, None when it is a file or there is none."""
        return None if self.settings is None else self.settings.sources.catalogue_topic

    def mapper(self, decode_schema: SchemaDecoder | None = None) -> Mapper:
        """The mappings of the site over those that ship. Raises: DocumentError."""
        own = self.settings.sources if self.settings is not None else None
        files = SourceFiles() if own is None else SourceFiles(own.mappings, own.catalogue)
        return Mapper(*load_sources(files), decode_schema=decode_schema)

    def mapping_of(self, topic: str) -> str | None:
        """The mapping for a topic: that of its input, or none at all, since it holds canonical events."""
        inputs = {} if self.settings is None else {one.topic: one.source for one in self.settings.kafka_inputs}
        return inputs.get(topic, CANONICAL)


def site_of(config: Path | None) -> Site:
    """The site of a settings file. Raises: DocumentError when it cannot be used."""
    return Site(None if config is None else read_settings(config))


def checked_source(name: str, mapper: Mapper) -> str:
    """The name of a mapping. Raises: PermanentError with the nearest one when there is none."""
    names = [CANONICAL, *(one.name for one in mapper.mappings)]
    if name not in names:
        hint = did_you_mean(name, names)
        raise PermanentError(f"no mapping is called '{name}'" + (f" ({hint})" if hint else ""))
    return name
