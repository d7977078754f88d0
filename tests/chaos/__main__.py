"""A long chaos run on a cluster of its own: `python -m tests.chaos --seed S --faults N [--runtime plain]`."""

import argparse
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.faults import Plan
from tests.chaos.run import chaos
from tests.services.kafka import Cluster
from tests.services.kafka_options import Options

EVENTS_A_FAULT = 6_000


def main() -> int:
    """Make one run and tell it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--runtime", choices=["faust", "plain"], default="faust")
    args = parser.parse_args()
    print(f"seed {args.seed}, {args.faults} faults, runtime {args.runtime}", flush=True)
    share = args.faults // 10
    plan = Plan(kills=4 * share, pauses=2 * share, restarts=share, broker_kills=2 * share, refusals=share)
    folder = Path(tempfile.mkdtemp(prefix="coordwatch-chaos-"))
    print(f"what the workers say is in {folder}, and stays there if the run fails", flush=True)
    with Cluster(Options(nodes=3), folder / "kafka") as cluster:
        run = chaos(cluster, folder, args.seed, plan, EVENTS_A_FAULT * args.faults, args.runtime)
    shutil.rmtree(folder)
    print(f"seed {args.seed}: {run}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
