"""``python -m benchmarks``: all of them, one after the other; about three quarters of an hour on two cores."""

from __future__ import annotations

import argparse

from benchmarks import bootstrap, overhead, peers, pool_size, recording, scoring_speed, start_up
from workbench.errors import RunError
from workbench.runs import find_run


def main() -> None:
    """Measure everything that the command line does not leave out."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--run", default="latest", help="finished run whose models are timed, or latest")
    parser.add_argument("--quick", action="store_true", help="leave out the pool of a million rows, and peers")
    parser.add_argument(
        "--embed", type=int, default=pool_size.EMBEDDED, help="rows to embed, up to 100,000; 0 for none"
    )
    given = parser.parse_args()
    recording.begin()
    start_up.main()
    bootstrap.main()
    overhead.main()
    speed(given.run)
    sizes = pool_size.SIZES[:2] if given.quick else pool_size.SIZES
    pool_size.main(["--sizes", *map(str, sizes), "--embed", str(given.embed)])
    if not given.quick:
        peers.main(["--run", given.run])
    print(f"Written to {recording.RESULTS}")


def speed(run: str) -> None:
    """Time the models of a run; say so where there is none."""
    try:
        find_run(run)
    except RunError as missing:
        print(f"Scoring speed left out. {missing}")
        return
    scoring_speed.main(["--run", run])


if __name__ == "__main__":
    main()
