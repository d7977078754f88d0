"""What a command did, written down in the audit trail of the site.

What enters: settings, deeds. What leaves: links in the database, where there is one; else a word on standard error.
The next room: `adapters/sql`.
"""

import getpass
import sys
from contextlib import ExitStack
from pathlib import Path

from coordwatch.app.content import identity_policy, keys_of
from coordwatch.app.databases import open_store
from coordwatch.audit.deed import Deed, DeedKind, Fact
from coordwatch.clock import SystemClock
from coordwatch.settings import Settings


def note(settings: Settings, kind: DeedKind, subject: str, **facts: Fact) -> None:
    """Write down what the user of this machine does.

    Raises: PermanentError or TemporaryError when the database refuses: what cannot be written down is not done
    """
    if isinstance(settings.database, Path) and not settings.database.is_file():
        print(f"not in the audit trail: there is no database {settings.database} here", file=sys.stderr)
        return
    with ExitStack() as closing:
        trail = open_store(settings, {}, closing).trail()
        trail.add([Deed(SystemClock().now(), getpass.getuser(), kind, subject, facts)])


def note_person(settings: Settings, kind: DeedKind, who: str) -> None:
    """Write down that something is done about a person, by a name from which nothing leads back. Raises: as `note`."""
    note(settings, kind, identity_policy(settings, keys_of(settings)).digester.kept_away(who))
