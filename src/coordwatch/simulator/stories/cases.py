"""Cases: what waits at the help desk, until it is answered and sometimes again after that.

What enters: a customer and what kind of case. What leaves: what Zendesk publishes.
"""

from coordwatch.events.times import DAY
from coordwatch.simulator.stage import Stage
from coordwatch.simulator.timeline import Story
from coordwatch.simulator.truth import Case, Chat
from coordwatch.simulator.world import Person

_REMEMBERED = 3 * DAY


def open_case(stage: Stage, person: Person, kind: str, chat: Chat | None = None, how: str = "told") -> Case:
    """Open a case at the help desk; the desk tells once who the requester is.

    Takes: `how` told, late (its record takes an hour or more) or unread (in a tool that nobody reads)
    """
    published = how != "unread"
    case = Case(stage.mint.number("case", 10_001), kind, [], chat, published)
    person.cases = [*(known for known in person.cases if known.is_felt(stage.now - _REMEMBERED)), case]
    if not published:
        case.episodes.append((stage.now, None))
        return case
    if not person.known_to_desk:
        person.known_to_desk = True
        stage.publish(stage.desk.met(stage.now, person))
    event = stage.publish(
        stage.desk.opened(stage.now, person, case), late=stage.minutes(60, 90) if how == "late" else 0
    )
    case.episodes.append((event.time, None))
    return case


def move_case(stage: Stage, person: Person, case: Case, status: str) -> None:
    """Move a case to another status."""
    if not case.published:
        if status == "solved":
            case.close(stage.now)
        return
    event = stage.publish(stage.desk.moved(stage.now, person, case, status))
    if status == "solved":
        case.close(event.time)
    elif status == "open" and not case.is_open:
        case.episodes.append((event.time, None))


def handle_case(stage: Stage, person: Person, case: Case) -> Story:
    """Work on a case until it is solved; some customers come back."""
    move_case(stage, person, case, "open")
    yield stage.span(stage.pace.handling)
    if case.published and stage.chance(0.5):
        stage.publish(stage.desk.commented(stage.now, person, case))
        yield stage.minutes(1, 5)
        move_case(stage, person, case, "pending")
        yield stage.span(stage.pace.handling)
    move_case(stage, person, case, "solved")
    if stage.chance(0.15):
        yield stage.span(stage.pace.handling)
        move_case(stage, person, case, "open")
        yield stage.span(stage.pace.handling)
        move_case(stage, person, case, "solved")


def complain_in_writing(stage: Stage, person: Person) -> Story:
    """Complain by web form, or in a branch whose book nobody reads."""
    case = open_case(
        stage, person, stage.random.choice(("complaint", "claim")), how="unread" if stage.chance(0.1) else "told"
    )
    yield stage.minutes(20, 120)
    yield from handle_case(stage, person, case)
