"""web3-ethereum-defi: `python web3_ethereum_defi_client.py URL CONTRACT LAST SPAN FOLDER`."""

import json
import sys
from pathlib import Path

from eth_defi.event_reader.filter import Filter
from eth_defi.event_reader.reader import read_events
from web3 import HTTPProvider, Web3

ABI = Path(__file__).parents[1] / "abis" / "erc20" / "Token.json"


def _run(url: str, contract: str, last: str, span: str, folder: str) -> None:
    web3 = Web3(HTTPProvider(url, request_kwargs={"timeout": 60}))
    web3.middleware_onion.clear()
    token = web3.eth.contract(abi=json.loads(ABI.read_text(encoding="utf-8")))
    wanted = Filter.create_filter(contract, [token.events.Transfer])
    found = read_events(
        web3, 1, int(last), filter=wanted, chunk_size=int(span), extract_timestamps=None
    )
    rows = sum(1 for _ in found)
    Path(folder, "rows.txt").write_text(f"{rows} raw", encoding="ascii")


if __name__ == "__main__":
    _run(*sys.argv[1:])
