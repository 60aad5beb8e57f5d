"""What sizing, valued sums and credit say in a report, on rows small enough for the head."""

import polars as pl
import pytest
from handmade import at, table
from report_rows import GMX, LINK, MAPLE, written_market

from analytics import load
from analytics.reports.context import Context
from analytics.reports.parts import Section
from analytics.reports.scope import Scope
from analytics.reports.sections.credit import credit
from analytics.reports.sections.exits import exits
from analytics.reports.sections.income import income
from analytics.reports.sections.liquidity import liquidity
from analytics.reports.sections.oracles import oracles
from analytics.reports.sections.sizing import sizing

LOST = GMX | {"market": "0xeth", "is_long": True}
PRICE = LINK | {"asset": "ETH", "quote": "USD", "feed": "0xc"}
LOAN = MAPLE | {"pool": "0xpool", "loan": "0xloan", "asset_token": "0xusdc"}
LOOK = GMX | {"market": "0xeth", "is_long": True, "max_pnl_to_pool_ratio": "0.5"}
CHANGED = GMX | {"market": "0xeth", "is_long": True, "account": "0xa"}
PAID = GMX | {"fee_usd": None, "fee_token": "0xweth", "fee_tokens": 2}
HOUR = 3600
FRAMES = {
    "liquidations": table("liquidations", LOST | {"notional_usd": 400, "collateral_usd": 40}),
    "position_changes": table(
        "position_changes",
        CHANGED | {"realized_pnl_usd": 30},
        CHANGED | {"realized_pnl_usd": -10, "block_timestamp": at(1)},
    ),
    "oracle_updates": table(
        "oracle_updates",
        PRICE | {"oracle_price_quote": 100, "block_timestamp": at(-24 * HOUR)},
        PRICE | {"oracle_price_quote": 70, "block_timestamp": at(-23 * HOUR)},
        PRICE | {"oracle_price_quote": 70, "block_timestamp": at(60)},
    ),
    "fees": table(
        "fees",
        GMX | {"fee_usd": 5},
        PAID | {"block_timestamp": at(120)},
        *(PAID | {"block_timestamp": at(hours * HOUR)} for hours in (-24, 24)),
    ),
    "tokens": table(
        "tokens",
        {
            "chain_id": 42161,
            "address": "0xweth",
            "symbol": "ETH",
            "decimals": 18,
            "known_by": "call",
        },
    ),
    "adl_states": table(
        "adl_states",
        LOOK | {"pnl_to_pool_ratio": "0.1"},
        LOOK | {"pnl_to_pool_ratio": "0.4", "block_timestamp": at(60)},
        LOOK | {"pnl_to_pool_ratio": "0.2", "block_timestamp": at(120)},
    ),
    "credit_events": table(
        "credit_events",
        LOAN | {"kind": "payment", "interest_tokens": 7, "principal_tokens": 1},
        LOAN | {"kind": "default", "loss_tokens": 9},
    ),
}


@pytest.fixture(scope="module")
def sections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Section]:
    """Return the sections about a liquidation at 10x, a fall of 30 % and a loan that is lost."""
    folder = tmp_path_factory.mktemp("sizing")
    with load.database(written_market(folder, **FRAMES)) as con:
        context = Context(Scope(con))
        made = (sizing, exits, credit, liquidity, oracles, income)
        return {each.slug: each for each in (section(context) for section in made)}


def rows(section: Section, metric: str) -> pl.DataFrame:
    """Return the rows that a section shows of a metric."""
    (found,) = (
        each for each in section.tables if each.source is not None and each.source.asked == metric
    )
    return found.frame


def test_a_leverage_has_its_move(sections: dict[str, Section]) -> None:
    """5x falls 20 % until it is liquidated, the 10x of the liquidated one 10 %."""
    moves = rows(sections["sizing"], "liquidation_move").row(0, named=True)

    assert moves["long_move_ratio"] == pytest.approx(0.2)
    assert moves["median_long_move_ratio"] == pytest.approx(0.1)


def test_a_day_after_an_entry_is_survived_or_not(sections: dict[str, Section]) -> None:
    """From 100 the price fell to 70 within a day: no long at 5x outlived it, a short did."""
    lived = rows(sections["sizing"], "survival").row(0, named=True)

    assert (lived["window_count"], lived["survived_long_ratio"]) == (1, 0)
    assert (lived["survived_short_ratio"], lived["worst_fall_ratio"]) == (1, pytest.approx(0.3))


def test_kelly_is_of_the_accounts_that_moved_most(sections: dict[str, Section]) -> None:
    """Half of two trades won three times what the other lost: a third of the capital."""
    staked = rows(sections["sizing"], "kelly").row(0, named=True)

    assert staked["kelly_ratio"] == pytest.approx(1 / 3)


def test_the_nearest_look_at_adl_is_shown(sections: dict[str, Section]) -> None:
    """Of three looks the one a tenth below the threshold."""
    looks = rows(sections["exits"], "adl_state")

    assert looks.select("market_id", "block_timestamp").rows() == [("0xeth", at(60))]
    assert [float(each) for each in looks["headroom_ratio"]] == [pytest.approx(0.1)]


def test_credit_is_told_by_day(sections: dict[str, Section]) -> None:
    """Interest of 7 was paid, and a loan of 9 was lost."""
    assert rows(sections["credit"], "interest_paid")["interest_tokens"].to_list() == [7]
    assert rows(sections["credit"], "defaults")["loss_tokens"].to_list() == [9]


def test_what_is_heavy_is_of_the_event(sections: dict[str, Section]) -> None:
    """Windows, lags and costs of trades are of the day around the event, not of every year."""
    between = {
        source.asked: source.between
        for slug in ("sizing", "exits", "liquidity", "oracles")
        for source in sections[slug].sources
    }

    for metric in ("survival", "adl_undo", "executed_depth", "oracle_update_lag"):
        assert between[metric] is not None, metric


def test_fees_in_tokens_are_valued(sections: dict[str, Section]) -> None:
    """Of the event's day 2 at 70 dollars beside 5 told in dollars; the days around it have more."""
    worth = rows(sections["income"], "fees_valued")

    assert worth.select("told_usd", "valued_usd").sum().rows() == [(5, 140)]
    assert worth["date"].unique().to_list() == [at(0).date()]


def test_a_table_of_some_days_names_them(sections: dict[str, Section]) -> None:
    """What the event is, is told further down; the files hold more days than the table."""
    (told,) = (each for each in sections["income"].tables if "told in tokens" in each.caption)

    assert told.caption.endswith(", by day, 2025-10-10; the files have the day before as well")
