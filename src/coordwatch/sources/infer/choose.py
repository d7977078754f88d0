"""Choosing: which field is the id, which the time, which name a customer, which name an order, a case, a message.

What enters: a Survey. What leaves: Guesses with their confidence. Names and shapes count together; neither is enough alone.
The next room: `meaning`, which says what the events are.
"""

import math
from collections.abc import Iterable, Sequence

from coordwatch.sources.infer.proposal import Guess
from coordwatch.sources.infer.shapes import (
    EMAIL,
    HASH,
    ID,
    JSON,
    PHONE,
    TIME_FORMATS,
    is_national_phone,
    masked,
)
from coordwatch.sources.infer.survey import FieldSeen, Survey
from coordwatch.sources.infer.words import words_of

_TIME_WORDS = {
    "timestamp": 1.0, "occurred": 1.0, "time": 0.9, "ts": 0.9, "datetime": 0.9, "updated": 0.88, "happened": 1.0,
    "changed": 0.85, "modified": 0.8, "created": 0.8, "date": 0.75, "at": 0.7, "received": 0.68, "sent": 0.66, "on": 0.5,
    "ms": 0.6, "instant": 0.9, "tstamp": 0.9,
}  # fmt: skip
_NOT_THE_TIME = words_of(
    "expires expire expiry expiration birth birthday due scheduled schedule last next first previous prev trial period start "
    "end estimated eta est login signup delivery process processed cancelled canceled closed completed shipped original "
    "until valid not before after renew anchor arrival window etl dvce refr resolved solved paid"
)
_STRANGERS = words_of(
    "from agent assignee staff author cc bcc support owner operator admin employee reply sender mta origin postmaster sales "
    "submitter actor supervisor organizer domain ip host company organization organisation system source raw"
)
_PERSONS = {
    "customer": "customer_id", "user": "customer_id", "client": "customer_id", "member": "customer_id",
    "subscriber": "", "contact": "", "person": "", "profile": "", "requester": "", "lead": "", "guest": "",
    "passenger": "", "patient": "", "buyer": "", "shopper": "", "visitor": "", "recipient": "", "sender": "", "party": "",
    "consumer": "", "individual": "", "anonymous": "anonymous_id", "device": "device_id",
}  # fmt: skip
_ID_WORDS = frozenset(("id", "ids", "key", "uuid", "guid", "number", "no", "num", "code", "ref", "reference"))
_PHONE_WORDS = frozenset(("phone", "mobile", "tel", "telephone", "msisdn", "cell", "whatsapp", "sms"))
_REFS = {
    "order": ("order", "orders"), "message": ("message", "msg", "sms", "mail"), "campaign": ("campaign", "broadcast", "newsletter"),
    "journey": ("journey", "automation", "flow", "canvas", "workflow"), "case": ("case", "ticket", "issue", "conversation"),
    "shipment": ("shipment", "tracking", "tracker", "parcel", "consignment", "waybill", "package"),
    "conversation": ("conversation", "session", "chat", "dialog"), "cart": ("cart", "checkout", "basket"),
    "subscription": ("subscription",), "invoice": ("invoice",), "booking": ("booking", "reservation"),
    "appointment": ("appointment",), "return": ("return", "rma"), "location": ("location", "warehouse", "store"),
    "contact": ("call", "interaction", "contact"), "item": ("sku",),
}  # fmt: skip
_CONTAINERS = frozenset(("data", "result", "object", "payload", "detail", "body", "event", "properties", "attributes"))
ENOUGH, DOUBTFUL, TIMES_MAX = 0.55, 0.35, 5


def choose_times(survey: Survey) -> tuple[Guess, ...]:
    """The fields that may be the time of the event, the likeliest first."""
    candidates = [
        (_time_score(one), one)
        for one in survey.fields.values()
        if not one.listed and sum(one.share(name) for name in TIME_FORMATS) >= 0.6
    ]
    left, chosen = survey.all, list[Guess]()
    while left and candidates and len(chosen) < TIMES_MAX:
        # Of what no field chosen so far gives a time for, how much does this one?
        gain, score, best = max(
            (
                (score * math.sqrt((one.present & left).bit_count() / left.bit_count()), score, one)
                for score, one in candidates
            ),
            key=lambda each: each[:2],
        )
        if gain < 0.15:
            break
        candidates.remove((score, best))
        sure = score * math.sqrt(survey.covered(best))
        chosen += [_guess(best, sure, format=name) for name in TIME_FORMATS if best.share(name) >= 0.1]
        left &= ~best.present
    return tuple(chosen)


def _time_score(one: FieldSeen) -> float:
    words = one.words or ("",)
    name = max((_TIME_WORDS.get(word, 0.0) for word in words[-3:]), default=0.0) or 0.3
    if _NOT_THE_TIME & set(words):
        name *= 0.45
    name += 0.05 if set(words) & {"event"} else 0.0
    if one.depth > 1 and set(words[:-1]) & {"mail", "msg", "message", "email", "source"}:
        name *= 0.75  # when the message was made, and not what happened to it
    if one.path.startswith("$attributes"):
        name *= 0.9
    around = sum(word in _CONTAINERS for word in words[:-1])
    depth = 0.0 if one.path.startswith("$") else 0.04 * max(one.depth - 1 - around, 0) + 0.02 * around
    return max(0.0, min(1.0, name - depth))


def choose_ids(survey: Survey, taken: frozenset[str]) -> tuple[Guess, ...]:
    """The fields that may be the id of the event, the likeliest first; empty when none tells events apart."""
    found = [
        _guess(one, score)
        for one in survey.fields.values()
        if one.path not in taken and (score := _id_score(one, survey)) >= ENOUGH
    ]
    return tuple(sorted(found, key=lambda guess: -guess.confidence)[:2])


def _id_score(one: FieldSeen, survey: Survey) -> float:
    if one.listed or one.share(ID) < 0.95 or any(one.share(name) > 0.5 for name in (EMAIL, *TIME_FORMATS)):
        return 0.0
    words, count = one.words, one.pieces
    if not words or not set(words[-2:]) & {"id", "uuid", "guid", "key", "offset"}:
        return 0.0
    different = min(len(one.distinct), count) / count if count else 0.0
    if different < 0.9:
        return 0.0
    if "event" in words or "webhook" in words or words[-2:] == ("activity", "id") or "notification" in words:
        name = 0.97
    elif words in (("id",), ("uuid",), ("guid",)):
        name = 0.85 if not one.path.startswith("$") else 0.9
    elif words[-1] == "uuid":
        name = 0.8
    elif words in (("external", "id"), ("message", "id"), ("log", "id"), ("record", "id"), ("delivery", "id")):
        name = 0.72
    else:
        name = 0.3 if one.depth == 1 else 0.2
    if one.depth > 1 and not one.path.startswith("$"):
        name *= 0.9 if {"event", "data"} & set(words) else 0.6
    return name * different * survey.covered(one)


def choose_identifiers(survey: Survey, source: str) -> tuple[list[Guess], list[Guess]]:
    """The fields that name a customer; and those that name somebody, who may be staff."""
    sure: list[Guess] = []
    doubtful: list[Guess] = []
    for one in survey.fields.values():
        found = _identifier(one, source)
        if found is None or survey.covered(one) < 0.02:
            continue
        type_name, score = found
        stranger = bool(_STRANGERS & set(one.words)) and not (type_name.endswith("_sender") and len(one.words) == 2)
        deep = one.depth > 3 or (
            one.listed and not {"to", "recipient", "recipients", "customers", "destination"} & set(one.words)
        )
        score *= 0.4 if stranger else 0.7 if deep else 1.0
        (sure if score >= ENOUGH else doubtful).append(_guess(one, score, type=type_name))
    sure.sort(key=lambda guess: -guess.confidence)
    return sure[:12], doubtful[:6]


def _identifier(one: FieldSeen, source: str) -> tuple[str, float] | None:
    words = set(one.words)
    if one.share(EMAIL) >= 0.8 and one.share(JSON) == 0 and one.words[-2:] != ("message", "id"):
        return "email", 0.95 if words & {"email", "mail", "recipient", "to", "address", "destination"} else 0.7
    if one.share(HASH) >= 0.8 and words & {"email", "phone", "em", "ph"}:
        return ("hashed_email" if words & {"email", "em"} else "hashed_phone"), 0.9
    if one.share(PHONE) >= 0.8 and not words & {"fax"}:
        return "phone", 0.95 if words & _PHONE_WORDS else 0.7
    if (
        words & _PHONE_WORDS
        and one.values
        and all(map(is_national_phone, one.distinct.values()))
        and not words & _ID_WORDS
    ):
        return "phone", 0.75
    return _person_id(one, source)


def _person_id(one: FieldSeen, source: str) -> tuple[str, float] | None:
    """A field such as `customer_id`, `userId`, `customer.id`, `external_id`."""
    words = one.words
    if one.share(ID) < 0.95 or any(one.share(name) > 0.5 for name in ("iso", "local", EMAIL)):
        return None
    if words[-2:] == ("external", "id") or words[-3:] == ("external", "user", "id"):
        # At the top, and never the same twice, it is more likely the event's own.
        own = one.depth == 1 and one.pieces >= 5 and len(one.distinct) >= 0.95 * one.pieces
        return "customer_id", 0.4 if own else 0.8
    if len(words) > 1 and words[-1] in _ID_WORDS and words[-2] in _PERSONS:
        person = words[-2]
        known = _PERSONS[person]
        return known or f"{source.replace('-', '_')}_{person}", 0.9 if known else 0.75
    if words[-1:] in (("customer",), ("user",), ("client",)) and one.numbered:
        return f"{source.replace('-', '_')}_{words[-1]}", 0.7
    return None


def choose_refs(survey: Survey, taken: frozenset[str]) -> dict[str, Guess]:
    """By ref, the field that holds it."""
    found: dict[str, Guess] = {}
    for ref, names in _REFS.items():
        scored = [
            (score, one)
            for one in survey.fields.values()
            if one.path not in taken and (score := _ref_score(one, names, survey)) >= DOUBTFUL
        ]
        if scored:
            score, best = max(scored, key=lambda pair: (pair[0], -len(pair[1].path)))
            found[ref] = _guess(best, score)
    if "case" in found and found["case"].path == getattr(found.get("conversation"), "path", None):
        del found["case"]
    return found


def own_id(survey: Survey, taken: frozenset[str]) -> Guess | None:
    """The id of the thing that the payloads are about: `detail.id`, `data.object.id`, or a plain `id`."""
    found = [
        one
        for one in survey.fields.values()
        if one.words[-1:] == ("id",) and set(one.words[:-1]) <= _CONTAINERS and one.path not in taken
    ]
    found = [one for one in found if not one.listed and one.share(ID) >= 0.95 and not one.path.startswith("$")]
    best = max(found, key=lambda one: (survey.covered(one), one.depth), default=None)
    return None if best is None else _guess(best, 0.5 * survey.covered(best))


def _ref_score(one: FieldSeen, names: Iterable[str], survey: Survey) -> float:
    words = one.words
    if one.share(ID) < 0.9 or not words or any(one.share(name) > 0.5 for name in ("iso", "local")):
        return 0.0
    if one.share(EMAIL) > 0.5 and words[-2:] != ("message", "id"):  # which looks like an address, and is none
        return 0.0
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _ID_WORDS and before in names:
        score = (
            0.92 if last in ("id", "uuid", "guid") else 0.8 if last in ("number", "code", "key", "no", "ref") else 0.6
        )
    elif last in names and one.numbered:
        score = 0.6
    else:
        return 0.0
    score -= 0.06 * max(one.depth - 1, 0) + (0.2 if one.listed else 0.0)
    return score * (0.6 + 0.4 * survey.covered(one))


def _guess(one: FieldSeen, score: float, format: str | None = None, type: str | None = None) -> Guess:
    return Guess(one.path, round(score, 2), tuple(masked(value) for value in one.examples), format, type)


def paths_of(guesses: Sequence[Guess]) -> frozenset[str]:
    """The paths of guesses."""
    return frozenset(guess.path for guess in guesses)
