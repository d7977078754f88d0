"""Golden files: what each shipped mapping makes of invented records in the vendors' shapes, to the last byte.

`golden/<source>.records.jsonl` holds records, `golden/<source>.expected.jsonl` what becomes of each.
`python -m tests.sources.golden` writes the expectations again; read the difference before committing it.
"""

from coordwatch.codec import encode_json
from coordwatch.events.wire import event_to_plain
from coordwatch.sources.record import MapResult
from tests.sources.shipped import GOLDEN, SOURCES, golden_records, shipped_mapper


def account(result: MapResult) -> bytes:
    rejected = [
        {"reason": one.reason, "stage": one.stage, "path": one.path, "piece": one.piece} for one in result.rejected
    ]
    return encode_json(
        {
            "source": result.source,
            "events": [event_to_plain(event) for event in result.events],
            "dropped": list(result.dropped),
            "rejected": rejected,
        }
    )


def accounts(source: str) -> list[bytes]:
    return [account(shipped_mapper().map_record(record)) for record in golden_records(source)]


def main() -> None:
    for source in SOURCES:
        (GOLDEN / f"{source}.expected.jsonl").write_bytes(b"".join(line + b"\n" for line in accounts(source)))


if __name__ == "__main__":
    main()
