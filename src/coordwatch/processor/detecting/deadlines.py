"""Deadlines: which customers of one partition must be judged next, in order of time.

Customers with their next deadline enter; those whose time has come leave, each once until its proofs change.
"""

from collections.abc import Callable, Iterable, Iterator
from heapq import heapify, heappop, heappush


class Deadlines:
    """The deadlines of one partition. A deadline that no longer holds is passed over when it comes up."""

    def __init__(self, running: Iterable[tuple[int, str]] = ()) -> None:
        self._heap = list(running)
        heapify(self._heap)
        self._waiting: dict[str, int] = {}
        self._proofs: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self._heap) + len(self._waiting)

    def push(self, customer: str, deadline: int | None) -> None:
        """Note a customer's next deadline."""
        if deadline is not None:
            heappush(self._heap, (deadline, customer))

    def wait(self, customer: str, deadline: int) -> None:
        """Leave a customer aside whose deadline has come but cannot be proven, until some proof changes."""
        self._waiting[customer] = deadline

    def prove(self, proofs: tuple[int, ...]) -> None:
        """Take up to when each rule is proven; those who waited are looked at again when that changed."""
        if proofs != self._proofs:
            self._proofs = proofs
            for customer, deadline in self._waiting.items():
                heappush(self._heap, (deadline, customer))
            self._waiting.clear()

    def due(self, until: int, most: int, deadline_of: Callable[[str], int | None]) -> Iterator[str]:
        """The customers whose deadline has come, earliest first.

        Takes: `deadline_of`, the next deadline of a customer as it now is
        """
        given: set[str] = set()
        while self._heap and self._heap[0][0] <= until and len(given) < most:
            deadline, customer = heappop(self._heap)
            if customer not in given and deadline_of(customer) == deadline:
                given.add(customer)
                yield customer
