"""
`python perpscope_client.py ARGUMENTS...` is `perpscope ARGUMENTS...` that knows one more protocol.

No declaration of ours reads plain transfers, and every peer can: this one makes each a row of
`pool_flows`. `python perpscope_client.py count FOLDER` prints rows and the sum of their values.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))  # its abis/ is joined with ours

from indexer.chains import ETHEREUM
from indexer.protocols import PROTOCOLS
from indexer.spec import Const, Contract, Emitter, Event, Fixed, Protocol
from perpscope import main

TRANSFERS = Protocol(
    slug="transfers",
    name="Transfers",
    kind="credit",
    methodology="Every transfer of one token is a flow.",
    contracts=(Contract(ETHEREUM, "erc20/Token", "0x" + "70" * 20, 1),),
    events=(
        Event(
            abi="erc20/Token",
            name="Transfer",
            into="pool_flows",
            columns={
                "kind": Const("transfer"),
                "pool": Emitter(),
                "account": "to",
                "asset_tokens": Fixed("value", 18),
            },
        ),
    ),
)


def count(folder: str) -> None:
    """Print what was written."""
    import duckdb

    # As text: a Decimal of this many digits would be rounded.
    found = "select count(*), coalesce(sum(asset_tokens), 0)::varchar from pool_flows"
    with duckdb.connect(Path(folder) / "peers.duckdb", read_only=True) as connection:
        rows, total = connection.execute(found).fetchall()[0]
    print(rows, int(total.replace(".", "")))


if __name__ == "__main__":
    if sys.argv[1] == "count":
        count(sys.argv[2])
    else:
        PROTOCOLS[TRANSFERS.slug] = TRANSFERS
        main()
