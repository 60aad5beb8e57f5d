"""cryo: `python cryo_client.py URL CONTRACT LAST SPAN FOLDER`, or `count FOLDER`."""

import os
import sys
from pathlib import Path

SIGNATURE = "event Transfer(address indexed from, address indexed to, uint256 value)"


def _run(url: str, contract: str, last: str, span: str, folder: str) -> None:
    import cryo

    cryo.freeze(
        "logs",
        blocks=[f"1:{int(last) + 1}"],
        rpc=url,
        contract=[contract],
        event_signature=SIGNATURE,
        inner_request_size=int(span),
        chunk_size=2 * int(span),
        output_dir=folder,
    )
    sys.stdout.flush()
    os._exit(0)  # cryo sometimes crashes in Python's shutdown, with its work done


def _count(folder: str) -> None:
    import polars

    rows = total = 0
    for path in Path(folder).glob("*.parquet"):
        values = polars.read_parquet(path)["event__value_string"]
        rows += len(values)
        total += sum(map(int, values))
    print(rows, total)


if __name__ == "__main__":
    if sys.argv[1] == "count":
        _count(sys.argv[2])
    else:
        _run(*sys.argv[1:])
