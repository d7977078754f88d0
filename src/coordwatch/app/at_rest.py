"""A site as its database holds it: what a command asks of it, beside its service or without one.

What enters: settings.
What leaves: the processor over what is stored, to be asked; or a request carried out, by the service where one runs, else here.
The next room: the commands `forget`, `identity` and `subject`.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from coordwatch.adapters.sql.store import SqlStore
from coordwatch.alerts.card import cards_of
from coordwatch.app.content import identity_policy, keep_of, keys_of, load_content, progress_of
from coordwatch.app.databases import hold_file, open_store
from coordwatch.clock import SystemClock
from coordwatch.errors import PermanentError, TemporaryError
from coordwatch.ports import Effects
from coordwatch.processor import Processor, ProcessorSettings
from coordwatch.processor.requests import Receipt, Request, RequestKind
from coordwatch.settings import Settings
from coordwatch.sources.mapper import Mapper

_LOOK_SECONDS = 0.2
_PATIENCE = 5.0


@contextmanager
def at_rest(settings: Settings, *, alone: bool = False) -> Iterator[tuple[Processor, SqlStore]]:
    """The processor of a site over its database, as it was when this was asked.

    Raises: PermanentError when there is no database yet, or, if asked to be `alone`, when a service runs on it
    """
    if isinstance(settings.database, Path) and not settings.database.is_file():
        raise PermanentError(f"there is no database {settings.database}: has 'coordwatch serve' run with it?")
    content = load_content(settings)
    keys = keys_of(settings)
    with ExitStack() as undo:
        store = open_store(settings, cards_of(content.rules), undo, alone=alone, wait=_PATIENCE if alone else None)
        processor = Processor(
            content.rules,
            store,
            ProcessorSettings(identity_policy(settings, keys), settings.lateness, keep=keep_of(settings)),
            mapper=Mapper(content.mappings, content.catalogue, keys[0].secret),
            sources=progress_of(settings, content),
        )
        yield processor, store


def carried_out(settings: Settings, request: Request, patience: float) -> Receipt:
    """The receipt of a request, which the running service carries out, or this process when there is none.

    Units:  `patience` in seconds
    Raises: TemporaryError when the service has not done it by then; it will
    """
    with ExitStack() as undo:
        try:
            hold_file(settings, undo)
            processor, store = undo.enter_context(at_rest(settings, alone=True))
        except PermanentError:
            undo.close()
            return _by_the_service(settings, request, patience)
        now = SystemClock().now()
        store.commit(Effects(values=dict([request.row()])), now)
        processor.carry_out(now)
        processor.verify(SystemClock().now())
        return _receipt(processor, request)


def _by_the_service(settings: Settings, request: Request, patience: float) -> Receipt:
    with at_rest(settings) as (processor, store):
        store.commit(Effects(values=dict([request.row()])), SystemClock().now())
        pause = threading.Event()
        for _ in range(max(1, int(patience / _LOOK_SECONDS))):
            found = [one for one in processor.receipts() if one.id == request.id]
            if found and (found[0].checked_at or found[0].problem or request.kind is not RequestKind.FORGET):
                return found[0]
            pause.wait(_LOOK_SECONDS)
    raise TemporaryError(f"the service has not done it yet; it will: ask for receipt {request.id} later")


def _receipt(processor: Processor, request: Request) -> Receipt:
    return next(one for one in processor.receipts() if one.id == request.id)
