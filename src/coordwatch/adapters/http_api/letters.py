"""`POST /v1/dead-letters/replay`: dead letters sent round again, as from the page of the sources.

What enters: the ids of letters.
What leaves: what came of it; letters that could be used are letters no more.
The next room: the runtime, through what `app` put there.
"""

from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from coordwatch.adapters.http_api.context import ApiContext
from coordwatch.adapters.http_api.preconditions import Said, once_of
from coordwatch.adapters.http_api.problems import Refused
from coordwatch.adapters.http_api.shapes import Shape
from coordwatch.ports import AlertReader, DeadLetter

LETTERS_MOST = 500
_A_PAGE, _PAGES_MOST = 1000, 20


class ReplayBody(Shape):
    """Which letters, by their ids in `GET /v1/dead-letters`."""

    letters: Annotated[list[Annotated[str, Field(max_length=200)]], Field(min_length=1, max_length=LETTERS_MOST)]
    actor: Annotated[str | None, Field(min_length=1, max_length=80)] = None


class ReplayAnswer(Shape):
    """What came of it, in a sentence; `sent` letters were sent round again, `missing` are letters no more."""

    sent: int
    missing: list[str]
    said: str


def letters_router(context: ApiContext, replay: Callable[[Sequence[DeadLetter], str], str]) -> APIRouter:
    """The one address under /v1/dead-letters that changes something."""
    router = APIRouter(prefix="/v1/dead-letters", tags=["dead letters"])

    @router.post("/replay", response_model=ReplayAnswer)
    def replay_letters(request: Request, said: Annotated[Said, Depends()], body: ReplayBody) -> ReplayAnswer:
        """Send dead letters round again: their original bytes, by the way that they came.

        What is used now is a letter no more; what fails again stands as before. An event that was used already is known by its
        id, so a repeat changes nothing; under an `Idempotency-Key` the answer itself is the same again.
        """
        actor = getattr(request.state, "actor", None) or body.actor or "api"
        once = once_of(said.idempotency_key, "letters", body.model_dump_json(), actor)
        known = None if once is None else context.desk.recall(once)
        if known is not None:
            return ReplayAnswer.model_validate_json(known)
        wanted = dict.fromkeys(body.letters)
        found = _found(context.reader, set(wanted))
        if not found:
            raise Refused(404, "none of these is a dead letter, or no longer; GET /v1/dead-letters lists them")
        answer = ReplayAnswer(
            sent=len(found),
            missing=[one for one in wanted if one not in {letter.id for letter in found}],
            said=replay(found, actor),
        )
        if once is not None:
            context.desk.remember(once, answer.model_dump_json().encode(), context.clock.now())
        return answer

    return router


def _found(reader: AlertReader, wanted: set[str]) -> list[DeadLetter]:
    """Those letters that are there, looked for from the newest on."""
    found: list[DeadLetter] = []
    after: tuple[int, str] | None = None
    for _ in range(_PAGES_MOST):
        letters = reader.dead_letters(_A_PAGE, after)
        found += [one for one in letters if one.id in wanted]
        if len(letters) < _A_PAGE or len(found) == len(wanted):
            break
        after = (letters[-1].at, letters[-1].id)
    return found
