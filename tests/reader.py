"""
A reader in a process of its own: it opens a database again and again, and says what it saw.

    python reader.py DATABASE EXPECTED STOP

EXPECTED is JSON: how many answers of the feed there are up to each block. The reader ends when the
file STOP is there, and prints how often it read, what was torn, and which snapshots came.
"""

import json
import sys
import time
from pathlib import Path

from analytics import load
from analytics.errors import AnalyticsError

PAUSE_SECONDS = 0.25

QUERY = """
    select
        (select max(to_block) from coverage where protocol = 'chainlink'),
        (select count(*) from oracle_updates where protocol = 'chainlink'),
        (select count(distinct (tx_hash, log_index)) from logs where address = unhex($feed)),
        (select max(number) from snapshots)
"""


def seen(path: Path, expected: dict[str, int]) -> tuple[list[str], int | None]:
    """Return what does not fit together in one read, and the snapshot's number."""
    feed = "E62B71CF983019BFF55BC83B48601CE8419650CC"
    with load.database(path) as con:
        row = load.rows(con, QUERY, {"feed": feed}).row(0)
    covered, facts, logs, number = row
    wanted = 0 if covered is None else expected[str(covered)]
    torn = [] if (facts, logs) == (wanted, wanted) else [f"{row}: expected {wanted}"]
    return torn, number


def main(path: Path, expected: dict[str, int], stop: Path) -> dict[str, object]:
    """Read until told to stop."""
    reads = 0
    torn: list[str] = []
    numbers: list[int] = []
    errors: list[str] = []
    while not stop.exists():
        time.sleep(PAUSE_SECONDS)
        if not path.exists():
            continue
        try:
            wrong, number = seen(path, expected)
        except AnalyticsError as error:
            errors.append(str(error))
            continue
        reads += 1
        torn += wrong
        if number is not None and numbers[-1:] != [number]:
            numbers.append(number)
    return {"reads": reads, "torn": torn, "numbers": numbers, "errors": errors}


if __name__ == "__main__":
    counts = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    print(json.dumps(main(Path(sys.argv[1]), counts, Path(sys.argv[3]))))
