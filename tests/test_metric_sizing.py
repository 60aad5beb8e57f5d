"""Kelly's fraction, the move to a liquidation, and windows a position survives."""

from typing import Any

import polars as pl
import pytest
from handmade import at, column, load, table

from analytics.compute import collected, compute
from analytics.metrics.sizing import kelly, survival


def staked(*profits: object) -> pl.DataFrame:
    """Return the fractions of an account with these realised profits."""
    rows = ({"realized_pnl_usd": profit} for profit in profits)
    return kelly(table("position_changes", *rows).lazy()).collect()


def test_kelly_of_a_coin_that_pays_double() -> None:
    """Half wins of 2 for losses of 1: f = (2 x 0.5 - 0.5) / 2 = 0.25, half of it 0.125."""
    result = staked(2, -1, 2, -1, 0, None)

    ratios = ("win_ratio", "payoff_ratio", "kelly_ratio", "half_kelly_ratio")
    assert result.select(ratios).row(0) == (0.5, 2.0, 0.25, 0.125)
    assert result.select("win_count", "loss_count", "flat_count").row(0) == (2, 2, 1)
    assert (*column(result, "won_usd"), *column(result, "lost_usd")) == ("4", "2")


def test_kelly_of_a_losing_account_is_below_zero() -> None:
    """One win of 1 and one loss of 2: f = (0.5 x 0.5 - 0.5) / 0.5 = -0.5."""
    assert staked(1, -2)["kelly_ratio"].to_list() == [-0.5]


@pytest.mark.parametrize("profits", [(1, 2), (-1, -2), (0,)])
def test_kelly_needs_a_win_and_a_loss(profits: tuple[int, ...]) -> None:
    """Nobody who never lost should stake everything."""
    assert staked(*profits)["kelly_ratio"].to_list() == [None]


def test_stakes_do_not_change_the_fraction() -> None:
    """All dollars times a thousand leave it as it is."""
    assert staked(3, -1, -1)["kelly_ratio"].equals(staked(3000, -1000, -1000)["kelly_ratio"])


def moves(leverages: tuple[int, ...] = (10,), **settings: float) -> dict[str, Any]:
    """Return the moves of a market in which positions of these leverages were liquidated."""
    rows = ({"notional_usd": each, "collateral_usd": 1} for each in leverages)
    facts = load(liquidations=table("liquidations", *rows))
    (row,) = collected(compute("liquidation_move", facts, **settings)).to_dicts()
    return row


def test_five_times_is_liquidated_by_a_fifth() -> None:
    """5x by 20 %, either way, and the median of 10x by 10 %."""
    row = moves()

    assert (row["long_move_ratio"], row["short_move_ratio"]) == (0.2, 0.2)
    assert row["median_long_move_ratio"] == 0.1


def test_a_maintenance_margin_brings_it_nearer() -> None:
    """At 5x and 10 % a long ends at a fall of 0.1 / 0.9, a short at a rise of 0.1 / 1.1."""
    row = moves(maintenance_ratio=0.1)

    assert row["long_move_ratio"] == pytest.approx(1 / 9)
    assert row["short_move_ratio"] == pytest.approx(1 / 11)
    assert row["median_long_move_ratio"] == 0.0


def test_a_position_below_its_maintenance_margin_has_no_room() -> None:
    """At 20x and 10 % it is liquidated where it begins, not by a move in its favour."""
    row = moves(leverage=20.0, maintenance_ratio=0.1)

    assert (row["long_move_ratio"], row["short_move_ratio"]) == (0.0, 0.0)


def test_a_market_without_known_leverage_has_no_median_move() -> None:
    """The chosen leverage still has one."""
    facts = load(liquidations=table("liquidations", {}))

    (row,) = collected(compute("liquidation_move", facts)).to_dicts()

    assert (row["long_move_ratio"], row["median_long_move_ratio"]) == (0.2, None)


def test_no_move_liquidates_a_position_without_a_notional() -> None:
    """The median of those liquidated is zero where a venue tells that of most: no move, no NaN."""
    row = moves((0, 0, 10))

    assert row["median_leverage"] == 0.0
    assert (row["median_long_move_ratio"], row["median_short_move_ratio"]) == (None, None)


def test_no_fall_liquidates_a_long_with_more_collateral_than_notional() -> None:
    """At half a leverage a price would have to lose twice itself; a rise liquidates a short."""
    row = moves(leverage=0.5)

    assert (row["long_move_ratio"], row["short_move_ratio"]) == (None, 2.0)
    assert moves(leverage=1.0)["long_move_ratio"] == 1.0
    assert survived((0, 100), (10, 1), leverage=0.5)["survived_long_ratio"] == 1.0


def survived(*prices: tuple[int, object], **settings: float) -> dict[str, Any]:
    """Return who survived windows of these prices, each so many seconds after the first."""
    rows = (
        {"asset": "BTC", "oracle_price_quote": price, "block_timestamp": at(second)}
        for second, price in prices
    )
    result = survival(
        table("oracle_updates", *rows).lazy(),
        leverage=settings.get("leverage", 5.0),
        maintenance_ratio=settings.get("maintenance_ratio", 0.0),
        window_seconds=int(settings.get("window_seconds", 10)),
    ).collect()
    (row,) = result.to_dicts()
    return row


def test_a_fall_of_a_fifth_ends_longs_only() -> None:
    """Of four entries with ten seconds ahead, the long that meets 80 after 100 is gone."""
    row = survived((0, 90), (10, 100), (20, 80), (30, 85), (40, 85))

    assert row["window_count"] == 4
    assert (row["survived_long_ratio"], row["survived_short_ratio"]) == (0.75, 1.0)
    assert (row["worst_fall_ratio"], row["worst_rise_ratio"]) == (
        pytest.approx(0.2),
        pytest.approx(1 / 9),
    )


def test_a_window_that_is_not_over_is_not_counted() -> None:
    """The last price has nothing after it; a window ends with its last second."""
    assert survived((0, 100), (10, 1))["window_count"] == 1
    assert survived((0, 100), (10, 1))["survived_long_ratio"] == 0.0
    assert survived((0, 100), (9, 1))["window_count"] == 0
    assert survived((0, 100), (9, 1))["survived_long_ratio"] is None


def test_what_was_before_the_entry_does_not_count() -> None:
    """Of two prices of one moment the last is the entry."""
    assert survived((0, 50), (0, 100), (10, 100))["survived_long_ratio"] == 1.0


def test_no_position_is_opened_at_a_status_of_a_sequencer() -> None:
    """That it is down is told as one and outlasts every window; it is no price that stays."""
    down = {"asset": "BASE SEQUENCER", "quote": "DOWN"}
    told = (down | {"block_timestamp": at(second)} for second in (0, 10, 20))

    assert survival(table("oracle_updates", *told).lazy(), window_seconds=10).collect().is_empty()


def test_what_was_read_at_a_block_ends_no_position_and_opens_none() -> None:
    """A feed that is asked once a day may have fallen and come back in between."""
    read = ({"asset": "BTC", "log_index": -1, "block_timestamp": at(second)} for second in (0, 10))

    assert survival(table("oracle_updates", *read).lazy(), window_seconds=10).collect().is_empty()


def test_higher_leverage_never_survives_more() -> None:
    """The same windows at 2x, 10x and 50x."""
    prices = [(10 * n, 100 + 7 * (n % 3) - 3 * (n % 4)) for n in range(20)]

    found = [survived(*prices, leverage=each)["survived_long_ratio"] for each in (2.0, 10.0, 50.0)]

    assert found == sorted(found, reverse=True)
    assert found[0] == 1.0
    assert found[2] < 1.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"leverage": 0.0}, "leverage must be above 0"),
        ({"maintenance_ratio": 1.0}, "maintenance_ratio must be from 0 to below 1"),
        ({"window_seconds": 0}, "window_seconds must be at least 1"),
    ],
)
def test_bad_settings_are_refused(settings: dict[str, float], message: str) -> None:
    """No leverage, no maintenance beyond the notional, no empty window."""
    with pytest.raises(ValueError, match=message):
        survived((0, 1), **settings)
