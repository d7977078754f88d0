"""Detections as plain data, and back: what a store keeps and what pages read.

What enters: Detection, or the plain data of one.
What leaves: the other of the two; instants stay whole microseconds.
The next room: `fold` and every store.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from coordwatch.rules.detection import Attribution, Detection, DetectionStatus, Evidence

_EVIDENCE = tuple(field.name for field in fields(Evidence))


def detection_to_plain(detection: Detection) -> dict[str, Any]:
    """A detection as plain data. Units: instants and durations in microseconds."""
    return {
        "id": detection.id,
        "rule": detection.rule,
        "revision": detection.revision,
        "customer": detection.customer,
        "at": detection.at,
        "status": detection.status.value,
        "attribution": detection.attribution.value,
        "known_for": detection.known_for,
        "act": _evidence_to_plain(detection.act),
        "evidence": [_evidence_to_plain(evidence) for evidence in detection.evidence],
    }


def detection_from_plain(plain: Mapping[str, Any]) -> Detection:
    """The detection that `detection_to_plain` wrote."""
    return Detection(
        rule=plain["rule"],
        revision=plain["revision"],
        customer=plain["customer"],
        act=_evidence_from_plain(plain["act"]),
        at=plain["at"],
        evidence=tuple(_evidence_from_plain(evidence) for evidence in plain["evidence"]),
        status=DetectionStatus(plain["status"]),
        attribution=Attribution(plain["attribution"]),
        known_for=plain["known_for"],
    )


def _evidence_to_plain(evidence: Evidence) -> dict[str, Any]:
    plain = {name: getattr(evidence, name) for name in _EVIDENCE}
    plain["data"] = dict(evidence.data)
    return plain


def _evidence_from_plain(plain: Mapping[str, Any]) -> Evidence:
    return Evidence(**{name: plain[name] for name in _EVIDENCE})
