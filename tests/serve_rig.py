"""
Serve transfers from a node that misbehaves, for any client: `python tests/serve_rig.py --help`.

It prints one line of JSON with what it serves and where, serves until it is told to stop, and
then prints another line with how often each fault struck and what was asked.
"""

import argparse
import json
import signal
from threading import Event
from typing import Any

from rig.catalogue import FAULTS
from rig.exchange import Habits
from rig.fault import Planned
from rig.live import LiveChain
from rig.node import Rig, serving
from rig.transfers import TOKEN, TRANSFER, Transfers


def main() -> None:
    """Serve what the command line says."""
    asked = _arguments()
    transfers = Transfers(
        asked.logs, asked.per_block, asked.first_block, has_receipts_root=not asked.no_roots
    )
    chain = transfers.chain(safe_lag=asked.safe_lag, finalized_lag=asked.finalized_lag)
    planned = [Planned(FAULTS[name], asked.rate, asked.most) for name in asked.fault]
    slow = asked.slow_seconds
    habits = Habits(asked.span_limit, asked.log_limit, asked.block, slow)
    rig = Rig(LiveChain(chain), planned, asked.seed, habits)
    stopped = _told_to_stop()
    with serving(rig, asked.port):
        print(json.dumps(_offer(rig, asked)), flush=True)
        stopped.wait()
    told = {"struck": rig.struck, "requests": rig.requests, "calls": rig.calls}
    print(json.dumps(told), flush=True)


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name}: {fault.sentence}" for name, fault in FAULTS.items())
    parser = argparse.ArgumentParser(
        description=__doc__,
        epilog=f"faults:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--fault", action="append", default=[], choices=list(FAULTS), metavar="NAME")
    add("--rate", type=float, default=1.0, help="share of the requests a fault looks at")
    add("--most", type=int, help="how often each fault strikes at most")
    add("--seed", type=int, default=0, help="decides when faults strike")
    add("--block", type=int, help="the only block that logs are left out of, always")
    add("--log-limit", type=int, help="most logs that `truncated` leaves in an answer")
    add("--span-limit", type=int, default=1_000, help="most blocks that `range_limit` serves")
    add("--slow-seconds", type=float, default=60, help="how long `slow` takes")
    add("--logs", type=int, default=500_000)
    add("--per-block", type=int, default=25)
    add("--first-block", type=int, default=1)
    add("--no-roots", action="store_true", help="build faster, without receipts roots")
    add("--safe-lag", type=int, default=32)
    add("--finalized-lag", type=int, default=64)
    add("--port", type=int, default=0)
    return parser.parse_args()


def _offer(rig: Rig, asked: argparse.Namespace) -> dict[str, Any]:
    chain = rig.live.state
    return {
        "url": rig.url,
        "chain_id": chain.chain_id,
        "contract": f"0x{TOKEN.hex()}",
        "topic0": f"0x{TRANSFER.hex()}",
        "first": chain.first,
        "last": chain.head,
        "logs": len(chain.blocks) * asked.per_block,
        "faults": asked.fault,
    }


def _told_to_stop() -> Event:
    """From here on a signal is heard: a client that has read the offer may send one at once."""
    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: stopped.set())
    return stopped


if __name__ == "__main__":
    main()
