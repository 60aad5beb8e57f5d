"""checkthechain: `python checkthechain_client.py URL CONTRACT LAST SPAN FOLDER`."""

import asyncio
import json
import sys
from pathlib import Path

from ctc import evm

ABI = Path(__file__).parents[1] / "abis" / "erc20" / "Token.json"


async def _run(url: str, contract: str, last: str, span: str, folder: str) -> None:
    events = await evm.async_get_events(
        contract,
        event_abi=json.loads(ABI.read_text(encoding="utf-8"))[0],
        start_block=1,
        end_block=int(last),
        context={"network": 1, "provider": url, "cache": False},
        max_blocks_per_request=int(span),
        verbose=False,
    )
    total = sum(map(int, events["arg__value"]))
    Path(folder, "rows.txt").write_text(f"{len(events)} {total}", encoding="ascii")


if __name__ == "__main__":
    asyncio.run(_run(*sys.argv[1:]))
