"""Events for the identity tests: invented people at example.com, time in whole minutes."""

import hashlib
from typing import Any

from hypothesis import strategies as st

from coordwatch.events.event import Event
from coordwatch.events.times import MINUTE

LINKED = "customer.identifiers.linked"


def event(number: int, *identifiers: Any, subject: str | None = None, **data: Any) -> Event:
    """One event `e<number>` at that minute; `type` and `tool` may be among the data."""
    event_type = data.pop("type", "customer.profile.changed")
    tool = {"tool": {"name": data.pop("tool")}} if "tool" in data else {}
    named = {"identifiers": list(identifiers)} if identifiers else {}
    return Event("test", f"e{number}", event_type, number * MINUTE, number * MINUTE, subject, {**named, **tool, **data})


def md5(address: str) -> str:
    return hashlib.md5(address.encode(), usedforsecurity=False).hexdigest()


def sha1(address: str) -> str:
    return hashlib.sha1(address.encode(), usedforsecurity=False).hexdigest()


def sha256(address: str) -> str:
    return hashlib.sha256(address.encode()).hexdigest()


_addresses = [f"p{number}@example.com" for number in range(4)]
_identifiers = st.one_of(
    st.sampled_from([f"customer_id:C{number}" for number in range(4)]),
    st.sampled_from([f"email:{address}" for address in _addresses]),
    st.sampled_from([f"email_md5:{md5(address)}" for address in _addresses]),
    st.sampled_from([f"email_sha1:{sha1(address)}" for address in _addresses[:2]]),
    st.sampled_from([f"phone:+3312345670{number}" for number in range(3)]),
    st.sampled_from([f"requester:desk:R{number}" for number in range(3)]),
    st.sampled_from([f"contact_id:crm:X{number}" for number in range(3)]),
    st.sampled_from([f"anonymous_id:A{number}" for number in range(3)]),
    st.sampled_from([f"device_id:D{number}" for number in range(2)]),
)
_refs = st.fixed_dictionaries(
    {},
    optional={
        "order": st.sampled_from(["O1", "O2", "O3"]),
        "shipment": st.sampled_from(["S1", "S2", ["S1", "S3"]]),
        "case": st.sampled_from(["K1", "K2"]),
        "conversation": st.sampled_from(["V1", "V2"]),
    },
)


@st.composite
def streams(draw: st.DrawFn, most: int = 12, subjects: bool = True) -> list[Event]:
    """Events over so few identifiers that they collide all the time."""
    events = []
    for number in range(draw(st.integers(1, most))):
        named = draw(st.lists(_identifiers, max_size=4, unique=True))
        subject = draw(st.sampled_from([None, None, None, None, "S-1", "S-2"])) if subjects else None
        linked = {"type": LINKED} if draw(st.integers(0, 7)) == 0 else {}
        events.append(event(number, *named, subject=subject, **draw(_refs), **linked))
    return events
