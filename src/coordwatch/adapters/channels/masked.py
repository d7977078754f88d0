"""What leaves the house says no mail address and no telephone number, unless the settings of its channel say otherwise.

What enters: Work. What leaves: the same, masked as pages are, to whatever receiver the channel has.
The next room: that receiver.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coordwatch.access.masking import MASKED, mask_text
from coordwatch.adapters.channels.receiver import Receiver
from coordwatch.notify.delivery import Answer
from coordwatch.notify.message import SENTENCE_MAX, Line, Message
from coordwatch.notify.outbox import Work


@dataclass(frozen=True, slots=True)
class Masked:
    """A receiver that is told everything but personal data."""

    receiver: Receiver

    @property
    def at_once(self) -> int:
        """How many messages one request takes."""
        return self.receiver.at_once

    def deliver(self, works: Sequence[Work]) -> Sequence[Answer]:
        """Say these messages, masked, and give what came of each."""
        return self.receiver.deliver([replace(work, message=masked(work.message)) for work in works])


def masked(message: Message) -> Message:
    """A message without personal data: what rules and tools are called is ours, what events say is not."""
    return replace(message, lines=tuple(_masked(one) for one in message.lines))


def _masked(line: Line) -> Line:
    sentence = line.sentence
    if len(sentence) >= SENTENCE_MAX:
        # It was cut: half an address at its end would no longer be known as one.
        sentence = f"{sentence[:-1].rpartition(' ')[0]} {MASKED}"
    return replace(
        line,
        sentence=mask_text(sentence),
        act_tool=mask_text(line.act_tool),
        evidence_tool=mask_text(line.evidence_tool),
    )
