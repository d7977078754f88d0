"""`coordwatch dead-letters`: what could not be used, why, and sending it round again when its mapping is corrected.

What enters: the settings that name a Kafka, filters, ids.
What leaves: text for a terminal, JSON Lines for anything else; exit 2 when it cannot be done.
The next room: the topic of dead letters, from which nothing is ever taken out.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from coordwatch.adapters.kafka.letters import LetterBox, Posted
from coordwatch.alerts.words import time_words
from coordwatch.app.content import kafka_access
from coordwatch.audit.deed import DeedKind
from coordwatch.cli.at_the_store import ago
from coordwatch.cli.noting import note
from coordwatch.codec import encode_json, struct_with
from coordwatch.errors import PermanentError
from coordwatch.events.times import format_time
from coordwatch.processor.letters import Letter
from coordwatch.settings import read_settings

OK, BAD_INPUT = 0, 2
_PREFIX = 12
_HEX_SHOWN = 4096


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the command takes."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="list|show|replay")
    listing = verbs.add_parser("list", help="dead letters, newest first")
    listing.add_argument("--limit", type=_count, default=50, metavar="N", help="how many (default 50)")
    show = verbs.add_parser("show", help="one of them with its headers and its original bytes")
    show.add_argument("id", metavar="ID", help="its id, or the beginning of it")
    show.add_argument("--raw", action="store_true", help="only the original bytes, as they are")
    replay = verbs.add_parser(
        "replay", help="send originals round again; what was used already is recognised and changes nothing"
    )
    replay.add_argument("ids", nargs="*", metavar="ID", help="ids, or beginnings of them")
    replay.add_argument("--all", action="store_true", help="every letter that is still kept")
    replay.add_argument("--dry-run", action="store_true", help="only say what would be sent")
    for sub in (listing, replay):
        sub.add_argument("--reason", metavar="REASON", help="only those with this reason, such as not_json")
        sub.add_argument("--topic", metavar="TOPIC", help="only those that were read from this topic")
        sub.add_argument("--since", metavar="2h|TIME", help="only those put aside since then")
    for sub in verbs.choices.values():
        sub.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings file")
        sub.add_argument("--json", action="store_true", help="JSON Lines also on a terminal")


def run(args: argparse.Namespace) -> int:
    """List, show or send again."""
    problem = _contradiction(args)
    if problem is not None:
        print(f"coordwatch dead-letters: {problem}", file=sys.stderr)
        return BAD_INPUT
    settings = read_settings(args.config)
    if settings.kafka is None:
        raise PermanentError(
            f"{args.config} has no 'kafka:', so there is no topic of dead letters; those of 'coordwatch serve' are in its "
            "database and counted on its pages"
        )
    with closing(LetterBox(kafka_access(settings.kafka), settings.kafka.topics)) as box:
        return {"list": _list, "show": _show, "replay": _replay}[args.verb](args, box)


def _contradiction(args: argparse.Namespace) -> str | None:
    if args.verb == "show":
        return None
    try:
        args.since = ago(args.since)
    except ValueError as error:
        return f"--since: {error}"
    if args.verb == "list":
        return None
    filters = [name for name in ("reason", "topic", "since") if getattr(args, name) is not None]
    if args.ids and (args.all or filters):
        return f"ids and --{'all' if args.all else filters[0]} at once: name the letters, or say which kind"
    if not (args.ids or args.all or filters):
        return "say which to send: ids, --reason, --topic, --since or --all"
    return None


def _list(args: argparse.Namespace, box: LetterBox) -> int:
    as_json = args.json or not sys.stdout.isatty()

    def row(posted: Posted) -> tuple[str, str] | None:
        """The id and the line, so that the bytes of what is not shown are let go at once."""
        if not _fits(args, posted.letter):
            return None
        return posted.letter.id, _line(_about(posted)) if as_json else _row_text(posted)

    told: dict[str, str] = {}
    for name, line in box.newest_first(row, args.since):
        told.setdefault(name, line)  # one that failed again when it was sent round is the same letter
        if len(told) > args.limit:
            break
    for line in islice(told.values(), args.limit):
        print(line)
    if len(told) > args.limit:
        print(
            f"there are more than {args.limit}: --limit shows more, --reason, --topic and --since fewer",
            file=sys.stderr,
        )
    if not told:
        print("there is no such dead letter", file=sys.stderr)
    return OK


def _show(args: argparse.Namespace, box: LetterBox) -> int:
    found = _named(box, [args.id])[0]
    note(read_settings(args.config), DeedKind.LETTER_SHOW, found.letter.id)
    original = found.letter.origin.value
    if args.raw:
        sys.stdout.buffer.write(original or b"")
        return OK
    if args.json or not sys.stdout.isatty():
        print(_line(_about(found) | {"headers": _headers(found.letter), "value": _readable(original)}))
        return OK
    about = {name: value for name, value in _about(found).items() if value is not None}
    width = max(map(len, about))
    for name, value in about.items():
        print(f"{name.ljust(width)}  {_printable(str(value))}")
    for name, text in _headers(found.letter):
        print(f"{'header'.ljust(width)}  {_printable(f'{name}: {text}')}")
    print()
    print(_text_or_dump(original))
    return OK


def _replay(args: argparse.Namespace, box: LetterBox) -> int:
    """Each record is sent once, whatever the number of its letters and however often it came back."""
    if args.ids:
        chosen = _named(box, args.ids)
    else:
        chosen = [_light(posted) for posted in box.oldest_first(args.since) if _fits(args, posted.letter)]
    records = {(one.letter.origin.place, one.letter.origin.offset): one.offset for one in chosen}
    if records and not args.dry_run:
        note(read_settings(args.config), DeedKind.LETTER_REPLAY, "", records=len(records))
    sent = 0 if args.dry_run else box.send_again(records.values())
    reasons = Counter(one.letter.refusal.reason for one in {one.letter.id: one for one in chosen}.values())
    if args.json or not sys.stdout.isatty():
        print(_line({"records": len(records), "sent": sent, "reasons": dict(reasons.most_common())}))
        return OK
    words = ", ".join(f"{amount:,} {reason}" for reason, amount in reasons.most_common()) or "none"
    print(f"{'would send' if args.dry_run else 'sent'} {len(records):,} records round again ({words})")
    if sent:
        print("what fails again comes back under the same id: 'coordwatch dead-letters list --since 10m'")
    return OK


def _named(box: LetterBox, names: Sequence[str]) -> list[Posted]:
    """The letters that these ids, or beginnings of ids, name.

    Raises: PermanentError when one names none, or several
    """
    found: dict[str, dict[str, Posted]] = {name: {} for name in names}

    def pick(posted: Posted) -> Posted | None:
        return posted if posted.letter.id.startswith(tuple(names)) else None

    for posted in box.newest_first(pick):
        for name in names:
            if posted.letter.id.startswith(name):
                found[name].setdefault(posted.letter.id, posted if len(names) == 1 else _light(posted))
    for name, letters in found.items():
        if not letters:
            raise PermanentError(f"there is no dead letter '{name[:40]}': 'coordwatch dead-letters list' shows them")
        if len(letters) > 1:
            raise PermanentError(f"'{name[:40]}' begins {len(letters)} ids: write more of it")
    return [one for letters in found.values() for one in letters.values()]


def _light(posted: Posted) -> Posted:
    """Without its bytes: many are chosen, and each is read again when it is sent."""
    origin = struct_with(posted.letter.origin, value=None, headers=())
    return replace(posted, letter=replace(posted.letter, origin=origin))


def _fits(args: argparse.Namespace, letter: Letter) -> bool:
    refusal = letter.refusal
    return args.reason in (None, refusal.reason, f"{refusal.stage}.{refusal.reason}") and args.topic in (
        None,
        letter.origin.place.topic,
    )


def _about(posted: Posted) -> dict[str, Any]:
    letter, refusal, origin = posted.letter, posted.letter.refusal, posted.letter.origin
    return {
        "id": letter.id,
        "reason": refusal.reason,
        "stage": refusal.stage,
        "detail": refusal.detail,
        "path": refusal.path,
        "pieces": letter.pieces,
        "input": origin.input or None,
        "topic": origin.place.topic,
        "partition": origin.place.partition,
        "offset": origin.offset,
        "key": None if origin.key is None else _readable(origin.key),
        "logged_at": _time(origin.timestamp),
        "put_aside_at": _time(posted.at),
    }


def _row_text(posted: Posted) -> str:
    letter, refusal, origin = posted.letter, posted.letter.refusal, posted.letter.origin
    where = f"{origin.place} at {origin.offset}"
    row = f"{letter.id[:_PREFIX]}  {time_words(posted.at)}  {refusal.reason:<16}  {where}  {refusal.detail[:100]}"
    return _printable(row)


def _headers(letter: Letter) -> list[tuple[str, str | None]]:
    return [(name, _readable(value)) for name, value in letter.origin.headers]


def _readable(value: bytes | None) -> str | None:
    """Text as it is, anything else as `hex:...`."""
    if value is None:
        return None
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return f"hex:{value.hex()}"


def _text_or_dump(value: bytes | None) -> str:
    if value is None:
        return "(no value: a tombstone)"
    try:
        return "\n".join(map(_printable, value.decode("utf-8").split("\n")))
    except UnicodeDecodeError:
        shown = value[:_HEX_SHOWN]
        rows = [f"{at:08x}  {shown[at : at + 16].hex(' ')}" for at in range(0, len(shown), 16)]
        more = [f"... {len(value):,} bytes in all: --raw gives them"] if len(value) > len(shown) else []
        return "\n".join([*rows, *more])


def _printable(text: str) -> str:
    """Without what a terminal obeys: somebody else wrote it."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\t" else repr(one)[1:-1] for one in text)


def _time(instant: int) -> str | None:
    return format_time(instant) if instant > 0 else None


def _line(value: Mapping[str, Any]) -> str:
    return encode_json(value).decode()


def _count(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= 1_000_000:
        raise argparse.ArgumentTypeError("a number from 1 to 1000000")
    return int(text)
