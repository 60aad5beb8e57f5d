"""
Clients of the index benchmarks: `python clients.py perpscope|one|all|cryo OFFER SPAN [DATABASE]`.

OFFER is the JSON line of the node, SPAN the blocks in one request. Each client prints as JSON what
its call cost once everything it needs is imported; what the whole process cost, its parent sees.
"""

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec


class Call(msgspec.Struct, frozen=True):
    """
    What one call cost.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of this process, user and system.
        peak_mib: the most memory that was ever resident, imports included.
    """

    seconds: float
    cpu_seconds: float
    peak_mib: float


def _perpscope(
    offer: dict[str, str], span: str, database: str, *, protocol: list[str] | None, skipped: int
) -> Callable[[], Any]:
    import indexer.rpc.posting  # noqa: F401 - what the command loads once it is called
    from indexer.cli.indexing import index_command

    return lambda: index_command(
        chain=offer["chain"],
        rpc=[offer["url"]],
        protocol=protocol,
        from_block=str(int(offer["first"]) + skipped),
        to_block=str(offer["last"]),
        database=Path(database),
        max_span=int(span) or None,
    )


def _cryo(offer: dict[str, str], span: str) -> Callable[[], Any]:
    import cryo
    from cryo import _cryo_rust  # noqa: F401 - loaded by the call

    return lambda: cryo.collect(
        "logs",
        blocks=[f"{offer['first']}:{int(offer['last']) + 1}"],
        rpc=offer["url"],
        contract=[offer["contract"]],
        topic0=[offer["topic0"]],
        output_format="polars",
        verbose=False,
        **({"inner_request_size": int(span)} if int(span) else {}),
    )


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _peak_mib() -> float:
    # ru_maxrss would start at the size of the parent.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def _main(client: str, offer: str, span: str, *database: str) -> None:
    wanted = msgspec.json.decode(offer)
    if client == "cryo":
        call = _cryo(wanted, span)
    else:
        # State is due by time, which the block before tells: not the first block that is served.
        skipped = 0 if client == "perpscope" else 1
        named = None if client == "all" else [wanted["protocol"]]
        call = _perpscope(wanted, span, *database, protocol=named, skipped=skipped)
    cpu_seconds, started = _cpu_seconds(), monotonic()
    result = call()
    cost = Call(monotonic() - started, _cpu_seconds() - cpu_seconds, _peak_mib())
    if client == "cryo":
        print(len(result), "logs")
    print(msgspec.json.encode(cost).decode(), flush=True)
    os._exit(0)  # cryo sometimes crashes in Python's shutdown, with its work done


if __name__ == "__main__":
    _main(*sys.argv[1:])
