"""Answers that are remembered by the key of their request, for a day, in the transaction of what they tell of.

What enters: a connection in a transaction, a key. What leaves: the answer of before. The next room: `store`.
"""

from sqlalchemy import Connection, bindparam, select

from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.schema import answers
from coordwatch.alerts.once import KEPT_FOR, Once, same_again

_KNOWN = select(answers.c.asked, answers.c.answer).where(answers.c.key == bindparam("wanted"))


def recalled(connection: Connection, once: Once | None) -> bytes | None:
    """The answer that was given under this key; None when it is new, or there is none.

    Raises: KeyReused
    """
    row = None if once is None else connection.execute(_KNOWN, {"wanted": once.key}).first()
    return None if row is None or once is None else same_again(once, row.asked, row.answer)


def keep_answer(connection: Connection, once: Once, answer: bytes, now: int) -> None:
    """Remember an answer, and forget those of yesterday. Units: `now` in microseconds since 1970 UTC."""
    connection.execute(answers.delete().where(answers.c.at < now - KEPT_FOR))
    upsert(connection, answers, [{"key": once.key, "asked": once.asked, "at": now, "answer": answer}])
