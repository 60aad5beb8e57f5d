"""Backed: tokens made and destroyed, built from the ABI (synthetic)."""

import polars as pl
import pytest
from goldens import NOON, Built, frame, log, reasons, rows, usd

from indexer.chains import BASE, ETHEREUM, GNOSIS, Chain
from indexer.facts import Facts, Known, declared, facts, merged
from indexer.protocols import PROTOCOLS
from indexer.spec import listed
from indexer.tables import columns_of, empty

BACKED = PROTOCOLS["backed"]
BC3M = "0x2f123cf3f37ce3328cc9b5b8415f9ec5109b45e7"
BCSPX = "0x1e2c4fb7ede391d116e6b41cd0608260e8801d59"
BCSPX_BASE = "0xc3ce78b037dda1b966d31ec7979d3f3a38571a8e"
NOBODY, HOLDER, OTHER = "0x" + "00" * 20, "0x" + "a1" * 20, "0x" + "a2" * 20


def read(chain: Chain, *logs: Built, asked: tuple[str, ...] = (BC3M, BCSPX_BASE)) -> Facts:
    """Return the facts of one transaction where these tokens were asked for their decimals."""
    table = frame(logs, block=900_000_000)
    headers = table.select(number="block_number").unique()
    told = [(chain.chain_id, token, "B", 18, "call") for token in asked]
    known = Known(
        pl.DataFrame(told, columns_of("tokens"), orient="row"),
        empty("markets"),
        empty("contracts"),
    )
    return facts(
        [BACKED],
        chain,
        table,
        headers.with_columns(timestamp=pl.lit(NOON, pl.Datetime("us"))),
        merged(declared([BACKED], chain), known),
    )


def moved(source: str, target: str, value: int = 10**18, token: str = BC3M) -> Built:
    """Return a Transfer."""
    return log("erc20/Token", "Transfer", token, **{"from": source, "to": target, "value": value})


@pytest.mark.parametrize("chain", [ETHEREUM, GNOSIS, BASE])
@pytest.mark.parametrize(
    ("transfer", "kind"), [(moved(NOBODY, HOLDER), "mint"), (moved(HOLDER, NOBODY), "redemption")]
)
def test_tokens_are_made_and_destroyed_on_every_chain(
    chain: Chain, transfer: Built, kind: str
) -> None:
    """One address, many chains, and no money in the log."""
    result = read(chain, transfer)

    assert rows(result, "pool_flows") == [
        {"kind": kind, "pool": BC3M, "account": HOLDER, "share_tokens": usd("1")}
    ]
    assert reasons(result) == []


def test_tokens_that_change_hands_are_no_flow() -> None:
    """Neither is a transfer of nothing from nobody to nobody."""
    result = read(ETHEREUM, moved(HOLDER, OTHER), moved(NOBODY, NOBODY, 0))

    assert result.tables["pool_flows"].is_empty()


def test_one_token_has_another_address_on_base() -> None:
    """What stands at its usual address there is not read."""
    logs = [moved(NOBODY, HOLDER, token=token) for token in (BCSPX, BCSPX_BASE)]

    assert [row["pool"] for row in rows(read(BASE, *logs), "pool_flows")] == [BCSPX_BASE]


def test_a_token_whose_decimals_nobody_told_is_asked_for() -> None:
    """Its rows are kept back until then."""
    result = read(ETHEREUM, moved(NOBODY, HOLDER), asked=())

    assert result.tables["pool_flows"].is_empty()
    assert result.unknown_tokens == (BC3M,)


def test_the_list_names_each_token_once_a_chain() -> None:
    """Seventy-one tokens and chains, each read from nobody and to nobody."""
    places = [
        (chain, row["token"].lower())
        for row in listed("backed_tokens")
        for chain in row["chains"].split()
    ]

    assert len(places) == len(set(places)) == 71
    assert len(BACKED.contracts) == 2 * 71
