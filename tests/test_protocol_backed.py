"""Backed: tokens made and destroyed, built from the ABI (synthetic)."""

import polars as pl
import pytest
from goldens import NOON, Built, frame, log, reasons, rows, usd

from indexer.chains import BASE, ETHEREUM, GNOSIS, INK, Chain
from indexer.facts import Facts, Known, declared, facts, merged
from indexer.protocols import PROTOCOLS
from indexer.spec import listed
from indexer.tables import columns_of, empty

BACKED = PROTOCOLS["backed"]
BC3M = "0x2f123cf3f37ce3328cc9b5b8415f9ec5109b45e7"
BCSPX = "0x1e2c4fb7ede391d116e6b41cd0608260e8801d59"
BCSPX_BASE = "0xc3ce78b037dda1b966d31ec7979d3f3a38571a8e"
TSLAX = "0x8ad3c73f833d3f9a523ab01476625f269aeb7cf0"
NOBODY, HOLDER, OTHER = "0x" + "00" * 20, "0x" + "a1" * 20, "0x" + "a2" * 20
ASKED = (BC3M, BCSPX_BASE, TSLAX)


def read(chain: Chain, *logs: Built, asked: tuple[str, ...] = ASKED) -> Facts:
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


def moved_shares(source: str, target: str, tokens: int, shares: int) -> list[Built]:
    """Return what an xStock logs of a transfer: its tokens, then its shares."""
    ends = {"from": source, "to": target}
    return [
        log("backed/XStock", "Transfer", TSLAX, **ends, value=tokens),
        log("backed/XStock", "TransferShares", TSLAX, **ends, value=shares),
    ]


@pytest.mark.parametrize("chain", [ETHEREUM, INK])
@pytest.mark.parametrize(
    ("ends", "kind"), [((NOBODY, HOLDER), "mint"), ((HOLDER, NOBODY), "redemption")]
)
def test_an_xstock_moves_shares_that_are_tokens_at_the_moment(
    chain: Chain, ends: tuple[str, str], kind: str
) -> None:
    """After a split of ten to one, one share is ten tokens."""
    result = read(chain, *moved_shares(*ends, tokens=10 * 10**18, shares=10**18))

    assert rows(result, "pool_flows") == [
        {
            "kind": kind,
            "pool": TSLAX,
            "account": HOLDER,
            "asset_token": TSLAX,
            "asset_tokens": usd("10"),
            "share_tokens": usd("1"),
        }
    ]
    assert reasons(result) == []


def test_flows_of_one_account_have_their_own_tokens() -> None:
    """Two mints for one holder in a transaction; what then changes hands is no flow."""
    logs = [
        *moved_shares(NOBODY, HOLDER, tokens=20, shares=10),
        *moved_shares(NOBODY, HOLDER, tokens=8, shares=4),
        *moved_shares(HOLDER, OTHER, tokens=28, shares=14),
    ]

    table = read(ETHEREUM, *logs).tables["pool_flows"]

    wei = usd("0.000000000000000001")
    assert table.select("asset_tokens", "share_tokens").rows() == [
        (20 * wei, 10 * wei),
        (8 * wei, 4 * wei),
    ]


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


@pytest.mark.parametrize(("name", "count"), [("backed_tokens", 71), ("backed_xstocks", 275)])
def test_a_list_names_each_token_once_a_chain(name: str, count: int) -> None:
    """Each is read from nobody and to nobody."""
    places = [
        (chain, row["token"].lower()) for row in listed(name) for chain in row["chains"].split()
    ]

    assert len(places) == len(set(places)) == count
    abi = {"backed_tokens": "erc20/Token", "backed_xstocks": "backed/XStock"}[name]
    assert sum(contract.abi == abi for contract in BACKED.contracts) == 2 * count
