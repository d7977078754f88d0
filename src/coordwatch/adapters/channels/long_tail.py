"""The long tail: whatever Apprise knows, by its URLs. It can neither edit nor deduplicate, and goes to the network itself.

What enters: Work. What leaves: one notification each.
The next room: `sender`. Needs the extra `notify`; `app` loads it by name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import apprise

from coordwatch.adapters.channels.receiver import attempt
from coordwatch.adapters.egress import Egress
from coordwatch.errors import PermanentError
from coordwatch.notify.delivery import Answer, again, delivered
from coordwatch.notify.outbox import Work
from coordwatch.notify.wording import text_of, title_of


@dataclass(frozen=True, slots=True)
class Apprise:
    """One or several addresses of Apprise. Raises: PermanentError when Apprise does not know one."""

    urls: tuple[str, ...] = field(repr=False)
    site: str = ""
    egress: Egress | None = None
    at_once: int = 1
    client: Any = field(init=False, repr=False)

    def __post_init__(self) -> None:
        client = apprise.Apprise()
        for number, url in enumerate(self.urls, start=1):
            if not client.add(url):
                raise PermanentError(f"Apprise does not know the {number}. of the URLs in the secret of this channel")
        for plugin in client:  # what stands at an address that was judged must not lead to one that was not
            plugin.redirects = False
        object.__setattr__(self, "client", client)

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Notify once for each message."""
        return [attempt(partial(self._send, work)) for work in works]

    def _send(self, work: Work) -> Answer:
        self._guarded()
        done = self.client.notify(
            title=title_of(work.message), body=text_of(work.message, self.site), body_format="text"
        )
        return delivered("handed to Apprise") if done else again("Apprise could not deliver it, and does not say why")

    def _guarded(self) -> None:
        """See that no address of the URLs leads inside, as far as Apprise says where it goes.

        It looks a name up anew when it connects, so a name that changes its meaning in between is not seen through; the
        services that Apprise knows by name are its own and public.

        Raises: ForbiddenError
        """
        if self.egress is None:
            return
        for plugin in self.client:
            if any("{host}" in template for template in plugin.templates):
                port = int(plugin.port or (443 if plugin.secure else 80))
                self.egress.number(plugin.host, port, encrypted=bool(plugin.secure))
