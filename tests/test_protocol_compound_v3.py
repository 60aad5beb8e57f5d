"""Compound v3: logs built from the ABI (synthetic), every recorded one, and what is read."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from goldens import Built, log, reasons, rows, scaled, usd
from lending_rig import answered, built, expected_rows, recorded, recorded_rows
from recordings import address, place, words

from indexer.chains import BASE, Chain
from indexer.facts.operands import leaves_of
from indexer.protocols import PROTOCOLS
from indexer.spec import Arg, listed

SLUG = "compound_v3"
CUSDC = "0xc3d688b66703497daa19211eedff47f25384cdc3"
CWETH = "0xa17581a9e3356d9a858b789d68b4d866e593ae94"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"
WSTETH = "0x7f39c581f595b53c5cb19bd0b3f8da6c935e2ca0"
USER, OTHER = "0x" + "aa" * 20, "0x" + "dd" * 20
NOBODY = "0x" + "00" * 20
ASKED = {WBTC: 8, WSTETH: 18}
BASES = {
    (row["chain"], row["address"]): (row["base"], int(row["base_decimals"]))
    for row in listed("compound_v3")
}


def comet(name: str, market: str = CUSDC, **arguments: Any) -> Built:
    """Return a log of a market."""
    return log("compound_v3/Comet", name, market, **arguments)


def moved(source: str, target: str, amount: int) -> Built:
    """Return a Transfer of the market's own balance."""
    return comet("Transfer", **{"from": source}, to=target, amount=amount)


def supplied(amount: int) -> Built:
    """Return a supply for the user, paid by another."""
    return comet("Supply", **{"from": OTHER}, dst=USER, amount=amount)


def withdrawn(amount: int) -> Built:
    """Return a withdrawal of the user to another."""
    return comet("Withdraw", src=USER, to=OTHER, amount=amount)


@pytest.mark.parametrize(
    ("logs", "flows", "credit"),
    [
        ([supplied(500), moved(NOBODY, USER, 499)], [("deposit", USER, 499)], []),
        ([supplied(500)], [], [("payment", USER, OTHER, 500)]),
        (
            [supplied(500), moved(NOBODY, USER, 200)],
            [("deposit", USER, 200)],
            [("payment", USER, OTHER, 300)],
        ),
        ([withdrawn(300), moved(USER, NOBODY, 301)], [("withdrawal", USER, 301)], []),
        ([withdrawn(300)], [], [("funded", USER, None, 300)]),
        (
            [withdrawn(300), moved(USER, NOBODY, 100)],
            [("withdrawal", USER, 100)],
            [("funded", USER, None, 200)],
        ),
        ([moved(USER, NOBODY, 7), moved(NOBODY, OTHER, 6)], [], []),
        (
            [
                supplied(500),
                moved(NOBODY, USER, 499),
                moved(USER, NOBODY, 8),
                moved(NOBODY, OTHER, 7),
            ],
            [("deposit", USER, 499)],
            [],
        ),
    ],
    ids=["deposit", "payment", "both", "withdrawal", "loan", "both ways", "given", "given after"],
)
def test_a_supply_repays_first_and_a_withdrawal_borrows_last(
    logs: list[Built], flows: list[tuple[Any, ...]], credit: list[tuple[Any, ...]]
) -> None:
    """What is minted or burned is a flow and the rest is debt; roundings are neither."""
    result = built(SLUG, ASKED, *logs)

    found = result.tables["pool_flows"].select("kind", "account", "asset_tokens").rows()
    events = result.tables["credit_events"]
    assert found == [(kind, who, scaled(amount, 6)) for kind, who, amount in flows]
    assert events.select("kind", "account", "counterparty", "principal_tokens").rows() == [
        (kind, who, payer, scaled(amount, 6)) for kind, who, payer, amount in credit
    ]
    assert reasons(result) == []


@pytest.mark.parametrize(("rest", "count"), [(2, 0), (3, 1)])
def test_less_than_three_of_the_smallest_unit_is_rounding(rest: int, count: int) -> None:
    """Two units that were not minted are no payment, three are one."""
    result = built(SLUG, ASKED, supplied(500), moved(NOBODY, USER, 500 - rest))

    assert len(result.tables["credit_events"]) == count


def test_collateral_moves_in_its_own_token() -> None:
    """In belongs to whom it is supplied for, out to whose it was."""
    result = built(
        SLUG,
        ASKED,
        comet("SupplyCollateral", **{"from": OTHER}, dst=USER, asset=WBTC, amount=10**7),
        comet("WithdrawCollateral", src=USER, to=OTHER, asset=WSTETH, amount=10**18),
    )

    assert rows(result, "pool_flows") == [
        {
            "kind": "deposit",
            "pool": CUSDC,
            "account": USER,
            "asset_token": WBTC,
            "asset_tokens": usd("0.1"),
        },
        {
            "kind": "withdrawal",
            "pool": CUSDC,
            "account": USER,
            "asset_token": WSTETH,
            "asset_tokens": usd("1"),
        },
    ]


def absorbed(market: str, paid: int) -> list[Built]:
    """Return an absorption of two tokens of collateral, with values in the market's own unit."""
    of = {"absorber": OTHER, "borrower": USER}
    return [
        comet("AbsorbCollateral", market, **of, asset=WBTC, collateralAbsorbed=10**6, usdValue=5),
        comet("AbsorbCollateral", market, **of, asset=WSTETH, collateralAbsorbed=1, usdValue=6),
        comet("AbsorbDebt", market, **of, basePaidOut=paid, usdValue=7),
    ]


def test_an_absorption_is_one_liquidation_however_many_tokens_it_takes() -> None:
    """The debt is the liquidation; each token of collateral is a seizure beside it."""
    result = built(SLUG, ASKED, *absorbed(CUSDC, 1_234_000_000))

    found = rows(result, "credit_events")
    assert Counter(row["kind"] for row in found) == {"liquidation": 1, "seizure": 2}
    of = {"pool": CUSDC, "account": USER, "counterparty": OTHER, "asset_token": USDC}
    assert found == [
        {"kind": "liquidation", **of, "principal_tokens": usd("1234")},
        {
            "kind": "seizure",
            **of,
            "collateral_token": WBTC,
            "collateral_tokens": usd("0.01"),
        },
        {
            "kind": "seizure",
            **of,
            "collateral_token": WSTETH,
            "collateral_tokens": usd("0.000000000000000001"),
        },
    ]


def test_collateral_that_is_absorbed_is_no_deposit_any_more() -> None:
    """Each token leaves the account's deposits; the market sells it for itself."""
    result = built(SLUG, ASKED, *absorbed(CUSDC, 1_234_000_000))

    of = {"kind": "withdrawal", "pool": CUSDC, "account": USER}
    assert rows(result, "pool_flows") == [
        {**of, "asset_token": WBTC, "asset_tokens": usd("0.01")},
        {**of, "asset_token": WSTETH, "asset_tokens": usd("0.000000000000000001")},
    ]


def test_what_collateral_is_worth_beyond_the_debt_is_a_deposit_and_no_debt() -> None:
    """The market pays out 1,234, of which 34 are minted: 1,200 were owed."""
    logs = [*absorbed(CUSDC, 1_234_000_000), moved(NOBODY, USER, 34_000_000)]

    result = built(SLUG, ASKED, *logs)

    (liquidation,) = (row for row in rows(result, "credit_events") if row["kind"] == "liquidation")
    (deposit,) = (row for row in rows(result, "pool_flows") if row["kind"] == "deposit")
    assert liquidation["principal_tokens"] == usd("1200")
    assert (deposit["kind"], deposit["asset_tokens"]) == ("deposit", usd("34"))


def test_what_an_absorption_is_worth_is_not_taken_for_dollars() -> None:
    """A market that lends ether counts in ether; its usdValue is in no column of any market."""
    result = built(SLUG, ASKED, *absorbed(CWETH, 2 * 10**18))

    (liquidation,) = (row for row in rows(result, "credit_events") if row["kind"] == "liquidation")
    assert liquidation["asset_token"] == WETH
    assert liquidation["principal_tokens"] == usd("2")
    read = {
        leaf.name
        for one in PROTOCOLS[SLUG].events
        for leaf in leaves_of(one)
        if isinstance(leaf, Arg)
    }
    assert "basePaidOut" in read
    assert "usdValue" not in read


def test_a_sale_of_collateral_is_a_recovery_of_the_market() -> None:
    """It has a buyer and no account: what is sold is the market's own."""
    sale = comet(
        "BuyCollateral", buyer=OTHER, asset=WBTC, baseAmount=600_000_000, collateralAmount=10**6
    )

    assert rows(built(SLUG, ASKED, sale), "credit_events") == [
        {
            "kind": "recovery",
            "pool": CUSDC,
            "counterparty": OTHER,
            "asset_token": USDC,
            "principal_tokens": usd("600"),
            "collateral_token": WBTC,
            "collateral_tokens": usd("0.01"),
        }
    ]


@pytest.mark.parametrize(
    ("chain", "first"),
    [
        ("ethereum", 15_331_586),
        ("arbitrum", 87_335_214),
        ("base", 2_197_588),
        ("polygon", 39_412_367),
        ("optimism", 118_406_276),
        ("linea", 15_197_719),
        ("scroll", 3_397_674),
        ("mantle", 70_789_050),
        ("ronin", 43_343_876),
        ("unichain", 9_170_496),
    ],
)
def test_every_market_is_read_from_its_chains_first_on(chain: str, first: int) -> None:
    """What is logged while a market is set up is read too."""
    starts = {int(row["from_block"]) for row in listed(SLUG) if row["chain"] == chain}

    assert starts == {first}


def test_one_address_is_two_markets_on_two_chains() -> None:
    """0x9c4e... lends USDC on Arbitrum and USDbC on Base."""
    same = "0x9c4ec768c28520b50860ea7a15bd7213a9ff58bf"

    def base_of(chain: Chain) -> list[str]:
        one = comet("Supply", same, **{"from": OTHER}, dst=USER, amount=9)
        return (
            built(SLUG, ASKED, one, block=900_000_000, chain=chain)
            .tables["credit_events"]["asset_token"]
            .to_list()
        )

    assert base_of(BASE) == ["0xd9aaec86b65d86f6a7b5b1b0c42ffa531710b6ca"]
    arbitrum = next(one.chain for one in PROTOCOLS[SLUG].contracts if one.chain.slug == "arbitrum")
    assert base_of(arbitrum) == ["0xaf88d065e77c8cc2239327c5edb3a432268e5831"]


TOTALS = "(uint64,uint64,uint64,uint64,uint104,uint104,uint40,uint8)"


def test_a_deposit_grows_with_its_index() -> None:
    """The first index of the struct, 15 places; its total is principal, not the present value."""
    told = encode([TOTALS], [(1_050_000_123_456_789, 2, 3, 4, 5_000_000, 6, 7, 0)])

    result = answered(SLUG, "index", {(CUSDC, "totalsBasic"): told}, {})

    assert rows(result, "share_prices") == [
        {
            "pool": CUSDC,
            "asset_token": USDC,
            "share_price_tokens": usd("1.050000123456789"),
            "supply_tokens": usd("5"),
        }
    ]


# --- recorded -------------------------------------------------------------------------------------


def test_every_recorded_move_of_collateral_becomes_its_row(shared: Path) -> None:
    """Account, token and amount are the log's own, in and out."""
    put, taken = recorded(shared, SLUG, "0xfa56f7b2"), recorded(shared, SLUG, "0xd6d480d5")
    told = {address(one["topics"][3]): 18 for one in (*put, *taken)} | ASKED

    found = recorded_rows(
        SLUG, [*put, *taken], told, "pool_flows", "kind", "account", "asset_token", "asset_tokens"
    )

    def values(kind: str, one: dict[str, Any], account: int) -> tuple[Any, ...]:
        token = address(one["topics"][3])
        return kind, address(one["topics"][account]), token, scaled(words(one)[0], told[token])

    assert found == expected_rows(
        [*put, *taken],
        [
            *(values("deposit", one, 2) for one in put),
            *(values("withdrawal", one, 1) for one in taken),
        ],
    )
    assert (len(put), len(taken)) == (5, 7)


def test_recorded_supplies_and_withdrawals_are_told_apart(shared: Path) -> None:
    """What minted or burned in its transaction is a flow; what did not is a payment or a loan."""
    supplies, draws = recorded(shared, SLUG, "0xd1cf3d15"), recorded(shared, SLUG, "0x9b1bfa7f")
    moves = recorded(shared, SLUG, "0xddf252ad")
    minted = [one for one in moves if int(one["topics"][1], 16) == 0]
    burned = [one for one in moves if int(one["topics"][2], 16) == 0]
    everything = [*supplies, *draws, *moves]

    flows = recorded_rows(SLUG, everything, {}, "pool_flows", "kind", "account", "asset_tokens")
    credit = recorded_rows(
        SLUG, everything, {}, "credit_events", "kind", "account", "principal_tokens"
    )

    def own(one: dict[str, Any]) -> Any:
        return scaled(words(one)[0], BASES[one["_chain"], one["address"]][1])

    assert flows == expected_rows(
        [*minted, *burned],
        [
            *(("deposit", address(one["topics"][2]), own(one)) for one in minted),
            *(("withdrawal", address(one["topics"][1]), own(one)) for one in burned),
        ],
    )
    flowed = {one["transactionHash"] for one in (*minted, *burned)}
    debts = [one for one in (*supplies, *draws) if one["transactionHash"] not in flowed]
    assert credit == expected_rows(
        debts,
        [
            (
                "payment" if one in supplies else "funded",
                address(one["topics"][2 if one in supplies else 1]),
                own(one),
            )
            for one in debts
        ],
    )
    assert Counter(row[0] for row in credit.values()) == {"payment": 1, "funded": 5}
    assert len({place(one) for one in (*supplies, *draws)}) == len(supplies) + len(draws)
