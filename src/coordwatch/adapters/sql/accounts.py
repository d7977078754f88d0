"""Accounts, sessions and API tokens in the database, so that every process knows them and every one can end them.

What enters: the values of `access.accounts`.
What leaves: the same again; TemporaryError while the database is away.
The next room: the gate.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import RowMapping, select

from coordwatch.access.accounts import KNOWN_FOR, LASTS_FOR, ApiToken, Session, User
from coordwatch.access.roles import Permission, Role
from coordwatch.adapters.sql.access_tables import known_places, sessions, tokens, tries, users
from coordwatch.adapters.sql.book import upsert
from coordwatch.adapters.sql.engines import Transaction
from coordwatch.adapters.sql.trail import write_down
from coordwatch.audit.deed import Deed


class SqlAccounts:
    """The AccountStore of one database."""

    def __init__(self, write: Transaction, read: Transaction) -> None:
        self._write, self._read = write, read

    def user(self, user_id: str) -> User | None:
        with self._read() as connection:
            row = connection.execute(select(users).where(users.c.id == user_id)).mappings().first()
        return None if row is None else _user(row)

    def users(self) -> Sequence[User]:
        with self._read() as connection:
            rows = connection.execute(select(users).order_by(users.c.name, users.c.id)).mappings().all()
        return [_user(row) for row in rows]

    def add_user(self, user: User, deed: Deed) -> bool:
        with self._write() as connection:
            if connection.execute(select(users.c.id).where(users.c.id == user.id)).first() is not None:
                return False
            connection.execute(users.insert(), {"id": user.id, **asdict(user), "role": user.role.value})
            write_down(connection, [deed])
        return True

    def change_user(self, user: User, deed: Deed) -> bool:
        seen = (users.c.id == user.id, users.c.version == user.version)
        fields = {"password": user.password, "disabled": user.disabled, "changed_at": user.changed_at}
        with self._write() as connection:
            change = users.update().where(*seen).values(role=user.role.value, version=user.version + 1, **fields)
            if not connection.execute(change).rowcount:
                return False
            write_down(connection, [deed])
        return True

    def let_in(self, user: User, judged: str | None, session: Session, instead_of: str | None) -> bool:
        now, mine = session.made_at, users.c.id == user.id
        with self._write() as connection:
            row = connection.execute(select(users).where(mine)).mappings().first()
            if row is not None and (row["disabled"] or row["password"] != judged):
                return False
            if row is None:
                connection.execute(users.insert(), {"id": user.id, **asdict(user), "role": user.role.value})
            fields: dict[str, Any] = {"password": user.password, "signed_in_at": now}
            if user.issuer:  # what a provider says of somebody holds; of a local account only people change anything
                fields |= {"name": user.name, "role": user.role.value}
                if row is not None and row["role"] != user.role.value:
                    fields["version"] = users.c.version + 1
            connection.execute(users.update().where(mine).values(**fields))
            connection.execute(sessions.delete().where(sessions.c.made_at <= now - LASTS_FOR))
            connection.execute(sessions.delete().where(sessions.c.digest == instead_of))
            connection.execute(sessions.insert(), asdict(session))
        return True

    def session(self, digest: str) -> tuple[Session, User] | None:
        question = (
            select(sessions, *(column.label(f"of_{column.name}") for column in users.c))
            .join(users, users.c.id == sessions.c.user)
            .where(sessions.c.digest == digest)
        )
        with self._read() as connection:
            row = connection.execute(question).mappings().first()
        if row is None:
            return None
        session = Session(**{column.name: row[column.name] for column in sessions.c})
        return session, _user({column.name: row[f"of_{column.name}"] for column in users.c})

    def session_seen(self, digest: str, now: int) -> None:
        with self._write() as connection:
            connection.execute(sessions.update().where(sessions.c.digest == digest).values(seen_at=now))

    def show_until(self, digest: str, instant: int) -> None:
        with self._write() as connection:
            connection.execute(sessions.update().where(sessions.c.digest == digest).values(unmasked_until=instant))

    def end_session(self, digest: str) -> None:
        with self._write() as connection:
            connection.execute(sessions.delete().where(sessions.c.digest == digest))

    def end_sessions(self, user_id: str) -> int:
        with self._write() as connection:
            return int(connection.execute(sessions.delete().where(sessions.c.user == user_id)).rowcount)

    def token(self, digest: str) -> ApiToken | None:
        with self._read() as connection:
            row = connection.execute(select(tokens).where(tokens.c.digest == digest)).mappings().first()
        return None if row is None else _token(row)

    def tokens(self) -> Sequence[ApiToken]:
        with self._read() as connection:
            rows = connection.execute(select(tokens).order_by(tokens.c.made_at.desc(), tokens.c.id)).mappings().all()
        return [_token(row) for row in rows]

    def add_token(self, token: ApiToken) -> None:
        with self._write() as connection:
            connection.execute(tokens.insert(), {**asdict(token), "scopes": " ".join(sorted(token.scopes))})

    def end_token(self, digest: str, now: int) -> None:
        still = (tokens.c.digest == digest, tokens.c.revoked_at.is_(None))
        with self._write() as connection:
            connection.execute(tokens.update().where(*still).values(revoked_at=now))

    def token_used(self, digest: str, now: int) -> None:
        with self._write() as connection:
            connection.execute(tokens.update().where(tokens.c.digest == digest).values(used_at=now))

    def take_tries(self, limits: Mapping[str, int], now: int, window: int) -> int:
        with self._write() as connection:
            connection.execute(tries.delete().where(tries.c.began <= now - window))
            rows = connection.execute(select(tries).where(tries.c.key.in_(list(limits)))).all()
            full = [row.began + window - now for row in rows if row.taken >= limits[row.key]]
            if full:
                return int(max(full))
            known = {row.key: (row.began, row.taken) for row in rows}
            after = [
                {"key": key, "began": known.get(key, (now, 0))[0], "taken": known.get(key, (now, 0))[1] + 1}
                for key in limits
            ]
            upsert(connection, tries, after)
        return 0

    def known_places(self, user_id: str, digests: Collection[str], now: int) -> frozenset[str]:
        mine = (known_places.c.user == user_id, known_places.c.digest.in_(list(digests)))
        with self._read() as connection:
            question = select(known_places.c.digest).where(*mine, known_places.c.seen_at > now - KNOWN_FOR)
            return frozenset(connection.execute(question).scalars())

    def remember_places(self, user_id: str, digests: Collection[str], now: int) -> None:
        with self._write() as connection:
            connection.execute(known_places.delete().where(known_places.c.seen_at <= now - KNOWN_FOR))
            places = [{"digest": one, "user": user_id, "seen_at": now} for one in digests]
            if places:
                upsert(connection, known_places, places)

    def forget_places(self, user_id: str) -> None:
        with self._write() as connection:
            connection.execute(known_places.delete().where(known_places.c.user == user_id))


def _user(row: Mapping[str, Any] | RowMapping) -> User:
    fields = {name: row[name] for name in row if name != "id"}
    return User(**{**fields, "role": Role(fields["role"])})


def _token(row: RowMapping) -> ApiToken:
    known = {one.value for one in Permission}
    scopes = frozenset(Permission(one) for one in row["scopes"].split() if one in known)
    return ApiToken(**{**row, "scopes": scopes})
