"""What a site says: its files and the parts of its settings that both runtimes read alike.

What enters: Settings.
What leaves: rules, mappings and the catalogue; the policies and sources that follow from the settings.
The next rooms: `one_process` and `worker`, which put programs together.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from pathlib import Path

import coordwatch
from coordwatch.adapters.catalogue_keeper import FileFeed
from coordwatch.adapters.files import load_rules
from coordwatch.adapters.kafka.access import KafkaAccess, Login, Tls
from coordwatch.adapters.key_file import Key, keys_beside
from coordwatch.adapters.mapping_files import SourceFiles, known_to, load_catalogue, load_sources
from coordwatch.context.progress import SourceProgress
from coordwatch.errors import DocumentError, PermanentError
from coordwatch.events.taxonomy import TYPES
from coordwatch.events.times import MINUTE, SECOND
from coordwatch.identity.digest import Digester
from coordwatch.identity.policy import BLOCKED, FUNCTIONAL_MAILBOXES, IdentityMode, IdentityPolicy
from coordwatch.processor import CANONICAL
from coordwatch.processor.records import Keep
from coordwatch.rules.sentence import sentence
from coordwatch.rules.spec import RuleSpec, RuleStatus
from coordwatch.settings import HttpInput, KafkaSettings, Progressing, Settings, SimulatorInput, WebhookInput
from coordwatch.sources.catalogue import Catalogue
from coordwatch.sources.mapping import SourceMapping

# The slowest simulated tool publishes this late; absence waits for it, as it would for a real one.
_SIMULATED_DELAY = 30 * MINUTE


@dataclass(frozen=True, slots=True)
class Content:
    """What a site says in files: rules, mappings, the catalogue."""

    rules: tuple[RuleSpec, ...]
    mappings: tuple[SourceMapping, ...]
    catalogue: Catalogue

    @property
    def by_id(self) -> dict[str, RuleSpec]:
        """The rules by their ids."""
        return {spec.id: spec for spec in self.rules}

    @property
    def sentences(self) -> dict[str, str]:
        """Every rule in plain English."""
        return {spec.id: sentence(spec) for spec in self.rules}


def load_content(settings: Settings) -> Content:
    """Read every file that the settings name.

    Raises: DocumentError with every problem of the first kind of file that has any
    """
    rules = load_rules(list(settings.rules) or None)
    if rules.problems:
        raise DocumentError(rules.problems)
    simulated = any(isinstance(one, SimulatorInput) for one in settings.inputs)
    shop = Path(coordwatch.__file__).parent / "simulator" / "catalogue.yaml" if simulated else None
    mappings, catalogue = load_sources(SourceFiles(settings.sources.mappings, settings.sources.catalogue or shop))
    active = tuple(spec for spec in rules.specs if spec.status is not RuleStatus.RETIRED)
    return Content(active, tuple(mappings), catalogue)


def keys_of(settings: Settings) -> list[Key]:
    """The identity keys, the present one first: those of the settings, or those beside the database."""
    chosen = settings.identity
    if chosen.key is None:
        assert isinstance(settings.database, Path), "beside a PostgreSQL the settings ask for a key"
        return keys_beside(settings.database)
    old = [Key(one.key.get_secret_value().encode(), one.id) for one in chosen.old_keys]
    return [Key(chosen.key.get_secret_value().encode(), chosen.key_id), *old]


def file_feed(settings: Settings, content: Content) -> FileFeed | None:
    """What tells of edits of the catalogue file; None when the settings name none."""
    path, known = settings.sources.catalogue, known_to(content.mappings)
    return None if path is None else FileFeed(path, lambda one: load_catalogue(one, known))


def identity_policy(settings: Settings, keys: Sequence[Key]) -> IdentityPolicy:
    """What the settings say about identity.

    Raises: PermanentError for keys that cannot stand together
    """
    chosen = settings.identity
    try:
        digester = Digester(*keys[0], [Digester(*one) for one in keys[1:]])
    except ValueError as error:
        raise PermanentError(str(error)) from None
    return IdentityPolicy(
        mode=IdentityMode(chosen.mode),
        trusted_type=chosen.trusted_type,
        digester=digester,
        blocked=BLOCKED | {one.lower() for one in chosen.blocked},
        functional_mailboxes=FUNCTIONAL_MAILBOXES | {one.lower() for one in chosen.functional_mailboxes},
        own_domains=chosen.own_domains,
        plus_domains=chosen.plus_domains,
        dot_domains=chosen.dot_domains,
        phone_region=chosen.phone_region,
        regions=chosen.phone_regions,
        fanout_max=chosen.fanout_max,
        park_for=chosen.park_for,
    )


def keep_of(settings: Settings) -> Keep:
    """How long what is not a journal is kept."""
    return Keep(**settings.retention.model_dump())


def retention_of(settings: Settings, journals: int) -> dict[str, float]:
    """How long each store keeps what it keeps of people, in seconds. Units: `journals` in microseconds."""
    keep = keep_of(settings)
    kept = {"journal": journals, "parked": settings.identity.park_for, **asdict(keep)}
    return {store: math.inf if age is None else age / SECOND for store, age in kept.items()}


def kafka_access(kafka: KafkaSettings) -> KafkaAccess:
    """What the settings say about reaching the brokers; from here on secrets are plain, and shown nowhere."""
    chosen = kafka.security
    tls = login = None
    if chosen.protocol.endswith("ssl"):
        tls = Tls(chosen.ca, chosen.certificate, chosen.key, chosen.plain_key_password)
    if chosen.mechanism is not None:
        name, secret = chosen.plain_login
        login = Login(chosen.mechanism, name, secret, chosen.token_endpoint or "", chosen.scope)
    return KafkaAccess(kafka.bootstrap, tls, login, kafka.session_timeout)


def progress_of(settings: Settings, content: Content) -> list[SourceProgress]:
    """The sources whose progress is watched: one an input, and one a mapping for the simulator."""
    mappings = {mapping.name: mapping for mapping in content.mappings}
    found: list[SourceProgress] = []
    for one in settings.inputs:
        if isinstance(one, SimulatorInput):
            found += [
                SourceProgress(name, types_of([mapping]), publishing_delay=_SIMULATED_DELAY)
                for name, mapping in mappings.items()
            ]
            continue
        chosen = source_of(one)
        if chosen not in (None, CANONICAL, *mappings):
            raise PermanentError(f"input '{one.name}': {_no_mapping(str(chosen), [CANONICAL, *mappings])}")
        unknown = sorted(set(one.carries) - set(TYPES))
        if unknown:
            raise PermanentError(f"input '{one.name}': no event type is called '{unknown[0]}'")
        carried = (
            types_of(mappings.values())
            if chosen is None
            else types_of([mappings[chosen]] if chosen in mappings else ())
        )
        everything = frozenset(TYPES) if chosen == CANONICAL else carried
        carries = frozenset(one.carries) or everything
        found.append(SourceProgress(one.name, carries, one.disorder, one.publishing_delay, one.dark_after))
    return found


def _no_mapping(name: str, known: Sequence[str]) -> str:
    near = get_close_matches(name, known, n=3)
    others = " (`coordwatch sources list` names the others)" if near else ""
    return f"no mapping is called '{name}'; write source: with one of: {', '.join(near or known)}{others}"


def types_of(mappings: Iterable[SourceMapping]) -> frozenset[str]:
    """Every event type that some mapping can give."""
    named = {name for mapping in mappings for name in mapping.emits}
    return frozenset(TYPES) if "*" in named else frozenset(named)


def source_of(one: Progressing) -> str | None:
    """The mapping an input takes: a webhook that of its name, and what is posted otherwise is canonical."""
    if isinstance(one, WebhookInput):
        return one.source or one.name
    return one.source or (CANONICAL if isinstance(one, HttpInput) else None)
