"""The schema registry of a site, as a decoder for its mapper.

What enters: the Kafka part of the settings. What leaves: a RegistryDecoder, None for a site without a registry.
The next rooms: `worker`, and whatever else maps records of a Kafka.
"""

from coordwatch.adapters.registry.client import RegistryAccess, RegistryClient
from coordwatch.adapters.registry.decoding import PATIENCE, RegistryDecoder
from coordwatch.clock import SystemClock
from coordwatch.settings import KafkaSettings


def registry_client(kafka: KafkaSettings) -> RegistryClient | None:
    """The way to the registry. Raises: PermanentError when its `ca` cannot be used."""
    chosen = kafka.registry
    if chosen is None:
        return None
    login = None
    if chosen.username is not None and chosen.password is not None:
        login = (chosen.username, chosen.password.get_secret_value())
    token = None if chosen.token is None else chosen.token.get_secret_value()
    return RegistryClient(RegistryAccess(chosen.url, login, token, chosen.ca))


def registry_decoder(kafka: KafkaSettings | None, patience: float = PATIENCE) -> RegistryDecoder | None:
    """The decoder for what is written under the registry's schemas. Raises: PermanentError."""
    client = None if kafka is None else registry_client(kafka)
    return None if client is None else RegistryDecoder(client, SystemClock(), patience)
