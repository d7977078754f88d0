"""The database of a site, opened by the one process that may, or by one of several.

What enters: settings, the rules' cards.
What leaves: a store, let go of with everything else.
The next rooms: `one_process`, `worker_side` and `at_rest`.
"""

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from coordwatch.adapters.process_lock import ProcessLock
from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import RuleCard
from coordwatch.settings import Settings


def hold_file(settings: Settings, undo: ExitStack) -> None:
    """Be the one process of a file, before anything beside it is read or made; a PostgreSQL is held by whoever opens it.

    Raises: PermanentError when another process is it
    """
    if isinstance(settings.database, Path):
        undo.callback(ProcessLock(settings.database).close)


def open_store(
    settings: Settings,
    cards: Mapping[str, RuleCard],
    undo: ExitStack,
    *,
    alone: bool = False,
    wait: float | None = None,
) -> SqlStore:
    """The store of a site. `alone` is for a process that keeps all state itself: there is one such a database.

    Raises: PermanentError when another one runs, or with what is wrong with the database; TemporaryError
    """
    waiting = {} if wait is None else {"wait": wait}
    store = SqlStore(settings.database, cards, durable=settings.durable, alone=alone, **waiting)
    undo.callback(store.close)
    return store
