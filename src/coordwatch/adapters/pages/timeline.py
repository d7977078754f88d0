"""The timeline: what each tool did to one customer, as inline SVG drawn on the server.

What enters: a Drawing in event time.
What leaves: SVG text without styles or scripts, so that the strictest content policy holds.
The next room: the page of an alert or a customer, which puts a list with the same facts below it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from coordwatch.adapters.pages.canvas import Canvas
from coordwatch.adapters.pages.drawing import Drawing, Mark, Ruler, seen_late
from coordwatch.adapters.pages.scale import scale_of
from coordwatch.adapters.pages.svg import (
    box,
    css_word,
    cut,
    digits,
    length_of,
    line,
    patterns,
    safe,
    span_words,
    text_at,
)
from coordwatch.adapters.pages.words import clock_words, day_words, exact_words
from coordwatch.events.times import format_time
from coordwatch.events.words import duration_words

_WIDE = 640
_RADIUS = 9.0
_RULER, _AXIS = 24.0, 50.0
_RANK = {"act": 0, "missing": 1, "late": 2, "due": 3, "evidence": 4, "alert": 5, "context": 6}
_REPEATS = 3


def draw(drawing: Drawing, width: int, name: str) -> str:
    """The picture as SVG. `name` must be unique in the page, it begins every id. Units: `width` in pixels."""
    canvas = _prepare(drawing, width)
    _lanes(canvas)
    _shades(canvas, drawing, name)
    _bars(canvas, drawing)
    _breaks(canvas)
    if drawing.pivot is not None:
        x = canvas.scale.place(drawing.pivot)
        canvas.parts.append(line((x, 8), (x, canvas.bottom), "pivot"))
    below = max(canvas.lanes.values(), default=0.0) + 49
    for index, ruler in enumerate(drawing.rulers):
        _ruler(canvas, ruler, below + index * _RULER)
    groups = _groups(canvas, drawing.marks)
    for group in groups:
        _seen(canvas, group)
        canvas.parts.append(_shape(canvas, group))
    _labels(canvas, groups, with_context=drawing.pivot is None)
    _axis(canvas, drawing)
    height = digits(canvas.bottom + _AXIS)
    return (
        f'<svg class="timeline-svg sev-{css_word(drawing.severity)}" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{safe(drawing.title)}</title><desc id="{name}-d">{safe(drawing.description)}</desc>'
        f"{patterns(name)}{''.join(canvas.parts)}{''.join(canvas.texts)}</svg>"
    )


def _prepare(drawing: Drawing, width: int) -> Canvas:
    is_wide = width >= _WIDE
    left, high, first = (176.0, 62.0, 34.0) if is_wide else (14.0, 78.0, 52.0)
    has_tail = any(bar.end is None for bar in drawing.bars)
    right = width - (72.0 if has_tail and is_wide else 40.0 if has_tail else 24.0)
    lanes = {lane: first + index * high for index, lane in enumerate(_lane_order(drawing))}
    last = max(lanes.values(), default=0.0)
    bottom = last + 35 + (len(drawing.rulers) * _RULER + 10 if drawing.rulers else 0.0)
    scale = scale_of(_instants(drawing), left + 14, right)
    return Canvas(scale, left, float(width) - 4, width, high, lanes, bottom, is_wide)


def _instants(drawing: Drawing) -> Iterable[int]:
    """What the axis must show. A linger may end long after everything else: then it runs off the edge instead."""
    # What happened beside it takes the place that the axis has for it, and must not bend the axis.
    own = [mark for mark in drawing.marks if mark.kind != "context" or drawing.pivot is None] or drawing.marks
    ends = [mark.at for mark in own] + [bar.end for bar in drawing.bars if bar.end is not None]
    last = max(ends, default=0)
    yield from ends
    for mark in drawing.marks:
        if mark.seen_at is not None and seen_late(mark, drawing):
            yield mark.seen_at
    for bar in drawing.bars:
        yield bar.start
    for shade in drawing.shades:
        yield shade.start
        if shade.end <= last:
            yield shade.end
    for ruler in drawing.rulers:
        yield from (ruler.start, ruler.end)


def _lane_order(drawing: Drawing) -> list[str]:
    """Lanes by their first event; the act's lane and the missing event's come last, the eye goes down to them."""
    first: dict[str, int] = {}
    begun = [(bar.lane, bar.start) for bar in drawing.bars] + [(mark.lane, mark.at) for mark in drawing.marks]
    for lane, at in begun:
        first[lane] = min(at, first.get(lane, at))
    acting = {mark.lane for mark in drawing.marks if mark.kind == "act"}
    missing = {mark.lane for mark in drawing.marks if mark.kind == "missing"}
    return sorted(first, key=lambda lane: (lane in missing, lane in acting, first[lane], lane))


def _lanes(canvas: Canvas) -> None:
    for lane, y in canvas.lanes.items():
        if canvas.is_wide:
            canvas.parts.append(text_at(0, y + 4, cut(lane, canvas.left - 14), "lane"))
        else:
            canvas.parts.append(text_at(0, y - 34, cut(lane, canvas.width), "lane"))
        canvas.parts.append(line((canvas.left, y), (canvas.right, y), "rule"))


def _shades(canvas: Canvas, drawing: Drawing, name: str) -> None:
    for shade in drawing.shades:
        y, start = canvas.lanes.get(shade.lane), canvas.scale.place(shade.start)
        if y is None:
            continue
        end = canvas.right if shade.end > canvas.scale.instants[-1] else canvas.scale.place(shade.end)
        pattern = "grace" if shade.kind == "grace" else "linger"
        canvas.parts.append(
            f'<rect class="shade {pattern}" x="{digits(start)}" y="{digits(y - 12)}" width="{digits(max(end - start, 2))}" '
            f'height="24" fill="url(#{name}-{pattern})"><title>{safe(shade.text)}</title></rect>'
        )


def _bars(canvas: Canvas, drawing: Drawing) -> None:
    for bar in drawing.bars:
        y, start = canvas.lanes[bar.lane], canvas.scale.place(bar.start)
        end = canvas.right - 6 if bar.end is None else max(canvas.scale.place(bar.end), start + 2)
        tip = f"L{digits(end + 6)} {digits(y)}" if bar.end is None else ""
        canvas.parts.append(
            f'<path class="bar" d="M{digits(start)} {digits(y - 5)}H{digits(end)}{tip}L{digits(end)} {digits(y + 5)}'
            f'H{digits(start)}Z"><title>{safe(bar.text)}</title></path>'
        )
        text = cut(bar.text, max(canvas.width - start - 18, canvas.width * 0.45))
        canvas.label(start + 14 + length_of(text) / 2, y + 25, text, "bar-text")


def _breaks(canvas: Canvas) -> None:
    for index in sorted(canvas.scale.cuts):
        middle = (canvas.scale.places[index] + canvas.scale.places[index + 1]) / 2
        left, right, low = digits(middle - 4), digits(middle + 4), digits(canvas.bottom)
        canvas.parts.append(
            f'<path class="gap" d="M{left} 8V{low}H{right}V8Z"/>'
            f'<path class="gap-edge" d="M{left} 8V{digits(canvas.bottom + 5)}M{right} 8V{digits(canvas.bottom + 5)}"/>'
        )


def _ruler(canvas: Canvas, ruler: Ruler, y: float) -> None:
    start, end = canvas.scale.place(ruler.start), canvas.scale.place(ruler.end)
    lane, far = canvas.lanes.get(ruler.lane, y), end if ruler.points_on else start
    canvas.parts += [
        line((far, lane + _RADIUS), (far, y + 4), "drop"),
        line((start, y), (end, y), "join dashed" if ruler.dashed else "join"),
        f'<path class="join-end" d="M{digits(start)} {digits(y - 4)}v8M{digits(end)} {digits(y - 4)}v8"/>',
    ]
    for tick in ruler.ticks:
        x = canvas.scale.place(tick)
        canvas.parts.append(line((x, y - 3), (x, y + 3), "join"))
    length = length_of(ruler.text, bold=True)
    if end - start >= length + 12:
        x = (start + end - length) / 2
        # On a ground of its own, so that the line and a break of the axis pass under it.
        canvas.parts.append(
            f'<rect class="gap" x="{digits(x)}" y="{digits(y - 8)}" width="{digits(length)}" height="16"/>'
        )
    else:
        x = end + 8 if end + 8 + length <= canvas.width else start - 8 - length
    middle = max(x, 0) + length / 2
    canvas.texts.append(
        f'<text class="join-text" x="{digits(middle)}" y="{digits(y + 4)}" text-anchor="middle">{safe(ruler.text)}</text>'
    )


def _groups(canvas: Canvas, marks: Iterable[Mark]) -> list[list[Mark]]:
    """Marks of one kind in one lane that would cover each other become one mark; the act is painted last."""
    groups: list[list[Mark]] = []
    growing: dict[tuple[str, str], list[Mark]] = {}
    for mark in sorted(marks, key=lambda mark: (-_RANK.get(mark.kind, 9), mark.at)):
        least = 8.0 if mark.kind == "context" else 2 * _RADIUS + 1
        group = growing.get((mark.lane, mark.kind))
        if group and canvas.scale.place(mark.at) - canvas.scale.place(group[-1].at) < least:
            group.append(mark)
            continue
        group = growing[mark.lane, mark.kind] = [mark]
        groups.append(group)
    return groups


def _middle(canvas: Canvas, group: Sequence[Mark]) -> float:
    return (canvas.scale.place(group[0].at) + canvas.scale.place(group[-1].at)) / 2


def _labels(canvas: Canvas, groups: Sequence[Sequence[Mark]], *, with_context: bool) -> None:
    """Words above a mark, or below it when the row is full; a word that a lane repeats is written at most once a kind."""
    repeated = Counter((group[0].lane, group[0].text) for group in groups)
    written = set()
    for group in sorted(groups, key=lambda group: (_RANK.get(group[0].kind, 9), group[0].at)):
        mark = group[0]
        if (mark.kind == "context" and not with_context) or len({one.text for one in group}) > 1:
            continue
        key = (mark.lane, mark.kind, mark.text)
        if repeated[mark.lane, mark.text] > _REPEATS and key in written:
            continue
        y, x, css = canvas.lanes[mark.lane], _middle(canvas, group), f"mark-text {css_word(mark.kind)}"
        if canvas.label(x, y - 15, mark.text, css) or canvas.label(x, y + 25, mark.text, css):
            written.add(key)


def _seen(canvas: Canvas, group: Sequence[Mark]) -> None:
    """A small tick where an event reached the log, when that was visibly later than it happened."""
    for mark in group:
        if mark.seen_at is None or mark.seen_at not in canvas.scale.instants or mark.seen_at <= mark.at:
            continue
        y, x, seen = canvas.lanes[mark.lane], canvas.scale.place(mark.at), canvas.scale.place(mark.seen_at)
        canvas.parts.append(
            line((x, y + 14), (seen, y + 14), "seen-line")
            + f'<path class="seen" d="M{digits(seen)} {digits(y + 9)}v10"><title>reached the log '
            f"{safe(exact_words(mark.seen_at))}</title></path>"
        )


def _shape(canvas: Canvas, group: Sequence[Mark]) -> str:
    mark, y, x = group[0], canvas.lanes[group[0].lane], _middle(canvas, group)
    title = "; ".join(_title(one) for one in group[:12])
    number = mark.number if len(group) == 1 else span_words([one.number for one in group])
    spread = canvas.scale.place(group[-1].at) - canvas.scale.place(group[0].at)
    radius, corner = (
        (3.5, 3.5) if mark.kind == "context" else (_RADIUS, 2.0 if mark.kind in ("act", "alert") else _RADIUS)
    )
    wide = max(2 * radius + spread, length_of(number) + 8 if len(number) > 1 else 0)
    left, top = x - wide / 2, y - radius
    ring = box(left + 2.5, top + 2.5, (wide - 5, 2 * radius - 5), radius - 2.5, "ring") if mark.kind == "late" else ""
    inside = f'<text x="{digits(x)}" y="{digits(y + 3.8)}" text-anchor="middle">{safe(number)}</text>' if number else ""
    return (
        f'<g class="mark {css_word(mark.kind)}"><title>{safe(title)}</title>'
        f"{box(left, top, (wide, 2 * radius), corner, 'body')}{ring}{inside}</g>"
    )


def _title(mark: Mark) -> str:
    about = f" ({mark.about})" if mark.about else ""
    return f"{mark.text}{about}, {exact_words(mark.at)}"


def _axis(canvas: Canvas, drawing: Drawing) -> None:
    y = canvas.bottom
    canvas.parts.append(line((canvas.left, y), (canvas.right, y), "axis"))
    marks = [mark for mark in drawing.marks if mark.kind != "context" or drawing.pivot is None]
    wanted = [mark.at for mark in sorted(marks, key=lambda mark: (_RANK.get(mark.kind, 9), mark.at))]
    wanted += [end for bar in drawing.bars for end in (bar.start, bar.end) if end is not None]
    wanted += [mark.seen_at for mark in marks if mark.seen_at is not None and mark.seen_at in canvas.scale.instants]
    places = {at: canvas.scale.place(at) for at in dict.fromkeys(wanted)}
    shown = sorted(at for at, x in places.items() if canvas.claim(y + 17, x - 18, x + 18))
    before = ""
    for at in shown:
        x, day = places[at], day_words(at)
        canvas.parts.append(line((x, y), (x, y + 5), "axis"))
        canvas.texts.append(_tick(x, y + 17, at, "clock", clock_words(at)))
        canvas.texts.append(_tick(x, y + 30, at, "day", day if day != before else ""))
        before = day
    for index in sorted(canvas.scale.cuts):
        middle = (canvas.scale.places[index] + canvas.scale.places[index + 1]) / 2
        words = duration_words(canvas.scale.instants[index + 1] - canvas.scale.instants[index])
        if not canvas.label(middle, y + 17, words, "gap-text"):
            canvas.label(middle, y + 44, words, "gap-text")
    if canvas.is_wide:
        canvas.texts.append(text_at(0, y + 17, "UTC", "zone"))
    else:
        canvas.texts.append(f'<text class="zone" x="{canvas.width}" y="{digits(y + 44)}" text-anchor="end">UTC</text>')


def _tick(x: float, y: float, at: int, css: str, text: str) -> str:
    return (
        f'<text class="tick {css}" x="{digits(x)}" y="{digits(y)}" text-anchor="middle" data-at="{format_time(at)}">'
        f"{safe(text)}</text>"
    )
