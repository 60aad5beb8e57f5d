"""Auto-deleveraging beside liquidations, on tables small enough to compute in the head."""

from collections.abc import Mapping

import polars as pl
import pytest
from both_engines import adls
from handmade import at, column, table

HUNDRED = {"notional_usd": 100}


def cut(
    *positions: Mapping[str, object], liquidated: tuple[Mapping[str, object], ...] = ()
) -> pl.DataFrame:
    """Return the metric of these ADLs beside these liquidations."""
    return adls(
        table("adls", *positions).lazy(), table("liquidations", *liquidated).lazy()
    ).collect()


def test_events_accounts_and_profit_are_added() -> None:
    """Two cuts of one account and one of another: notional, sides and realised profit."""
    result = cut(
        HUNDRED | {"is_long": True, "realized_pnl_usd": 30},
        HUNDRED | {"is_long": True, "realized_pnl_usd": -5},
        {"notional_usd": 50, "is_long": False, "account": "0xb"},
    )

    assert column(result, "adl_count") == [3]
    assert column(result, "account_count") == [2]
    assert column(result, "notional_usd") == ["250"]
    assert column(result, "notional_long_usd") == ["200"]
    assert column(result, "notional_short_usd") == ["50"]
    assert column(result, "realized_pnl_usd") == ["25"]


def test_the_ratio_is_adl_over_liquidated_notional() -> None:
    """100 cut beside 80 liquidated is 1.25."""
    result = cut(HUNDRED, liquidated=({"notional_usd": 50}, {"notional_usd": 30}))

    assert column(result, "liquidation_notional_usd") == ["80"]
    assert column(result, "adl_to_liquidation_ratio") == [1.25]


def test_an_adl_without_a_liquidation_has_no_ratio() -> None:
    """Nothing liquidated is a measured zero, and a ratio to it is null."""
    result = cut(HUNDRED)

    assert column(result, "liquidation_notional_usd") == ["0"]
    assert column(result, "adl_to_liquidation_ratio") == [None]


def test_an_unknown_notional_leaves_no_ratio() -> None:
    """A liquidation or an ADL of unknown size makes the ratio unknown."""
    beside_unknown = cut(HUNDRED, liquidated=(HUNDRED, {}))
    of_unknown = cut(HUNDRED, {}, liquidated=(HUNDRED,))

    assert column(beside_unknown, "liquidation_notional_usd") == [None]
    assert column(beside_unknown, "adl_to_liquidation_ratio") == [None]
    assert column(of_unknown, "adl_to_liquidation_ratio") == [None]
    assert column(of_unknown, "unknown_notional_count") == [1]


@pytest.mark.parametrize(
    "elsewhere",
    [
        {"block_timestamp": at(3600)},
        {"market": "ETH"},
        {"chain_id": 2},
        {"protocol": "other"},
        {"version": "v2"},
    ],
    ids=str,
)
def test_only_liquidations_beside_it_count(elsewhere: dict[str, object]) -> None:
    """A liquidation of another hour, market, chain, protocol or version is not compared."""
    result = cut(HUNDRED, liquidated=(HUNDRED | elsewhere,))

    assert column(result, "adl_to_liquidation_ratio") == [None]


def test_liquidations_alone_are_no_rows() -> None:
    """A bucket without an ADL is not a row: a liquidation is never an ADL."""
    assert cut(liquidated=(HUNDRED,)).is_empty()


def test_splitting_an_adl_changes_only_the_count() -> None:
    """Two cuts of 50 are a cut of 100, with the same ratio."""
    beside = ({"notional_usd": 80},)

    parts = cut({"notional_usd": 50}, {"notional_usd": 50}, liquidated=beside)

    assert parts.drop("adl_count").equals(cut(HUNDRED, liquidated=beside).drop("adl_count"))
