"""Credit beside perps in a report: one window, claims with coverage, pools in their assets."""

from pathlib import Path

import polars as pl
import pytest
from handmade import at, table
from report_rows import GMX, MAPLE, written_market

from analytics import load
from analytics.reports.context import Context
from analytics.reports.parts import Section
from analytics.reports.scope import Scope
from analytics.reports.sections.credit import credit

POOL = MAPLE | {"pool": "0xpool", "part": "0xpool", "asset_token": "0xusdc"}
USDC = {"chain_id": 1, "address": "0xusdc", "symbol": "U<b>", "decimals": 6, "known_by": "event"}


def shown(folder: Path, **replaced: pl.DataFrame) -> Section:
    """Return the section about the small market."""
    with load.database(written_market(folder, **replaced)) as con:
        return credit(Context(Scope(con)))


def rows(section: Section, caption: str) -> list[dict[str, str]]:
    """Return the rows of a table of a section as they are read."""
    (found,) = (each for each in section.tables if each.caption.startswith(caption))
    names = [column.name for column in found.columns]
    return [dict(zip(names, (cell.text for cell in row), strict=True)) for row in found.rows]


def test_perps_and_credit_stand_in_one_table(tmp_path: Path) -> None:
    """Three liquidations of a venue beside a lender that tells of none; n/k where none can be."""
    found = {row["protocol"]: row for row in rows(shown(tmp_path), "What the event did to each p")}

    assert list(found) == ["gmx_v2", "maple"]
    assert (found["gmx_v2"]["family"], found["gmx_v2"]["liquidation_count"]) == ("perps", "3")
    assert found["gmx_v2"]["default_count"] == "n/k"
    assert (found["maple"]["liquidation_count"], found["maple"]["default_count"]) == ("n/k", "0")


def test_a_zero_stands_beside_its_coverage(tmp_path: Path) -> None:
    """The verdict comes before the count; who only posts prices is not judged."""
    section = shown(tmp_path)

    found = rows(section, "Whether nothing was liquidated")

    verdicts = {row["protocol"]: row["verdict"] for row in found}
    assert verdicts == {"maple": "holds", "gmx_v2": "does not hold"}
    assert all(list(row)[2] == "verdict" for row in found)
    assert "or another loss: chainlink on arbitrum." in " ".join(section.words)


@pytest.mark.parametrize(("lent", "said"), [(None, "n/k"), (3, "-2.0000")])
def test_loans_from_before_are_not_outstanding_below_zero(
    tmp_path: Path, lent: int | None, said: str
) -> None:
    """Until a loan is funded nothing is known; the sum after it is of since indexing began."""
    liquidated = POOL | {"kind": "liquidation", "principal_tokens": 5}
    funded = [] if lent is None else [POOL | {"kind": "funded", "principal_tokens": lent}]

    section = shown(tmp_path, credit_events=table("credit_events", *funded, liquidated))

    (found,) = (each for each in section.tables if each.caption.startswith("Loans outstanding"))
    told = {
        column.header: cell.text for column, cell in zip(found.columns, *found.rows, strict=True)
    }
    assert told["lent less returned since indexing began, tokens"] == said


def test_a_reject_takes_the_claim_away(tmp_path: Path) -> None:
    """A log of a loss that could not be read leaves no claim, though no loss is known."""
    lost = MAPLE | {"block_number": 12, "event": "E", "fact": "credit_events", "reason": "r"}

    section = shown(tmp_path, rejects=table("rejects", lost))

    assert "maple on ethereum: no liquidation" not in " ".join(section.words)
    verdicts = {row["protocol"]: row["verdict"] for row in rows(section, "Whether nothing")}
    assert verdicts["maple"] == "not covered"


def test_a_pool_through_the_event(tmp_path: Path) -> None:
    """Of 100 managed 20 left while the price stood still; the asset is called by its symbol."""
    section = shown(
        tmp_path,
        tokens=table("tokens", USDC),
        pool_states=table(
            "pool_states", POOL | {"assets_tokens": 100, "block_timestamp": at(days=-2)}
        ),
        share_prices=table(
            "share_prices",
            POOL | {"share_price_tokens": 1, "block_timestamp": at(days=-2)},
            POOL | {"share_price_tokens": 1, "block_timestamp": at(60)},
        ),
        pool_flows=table("pool_flows", POOL | {"kind": "withdrawal", "asset_tokens": 20}),
    )

    (pool,) = rows(section, "What the event did to each pool")
    assert (pool["outflow_ratio"], pool["price_change_ratio"]) == ("20.0 %", "0 %")
    assert "U<b>" in pool.values()
    (managed,) = rows(section, "What pools managed")
    assert (managed["tvl_tokens"], managed["basis"]) == ("100.0000", "state")
    (dollars,) = rows(section, "Dollars that pools managed")
    assert (dollars["tvl_usd"], dollars["price_evidence"]) == ("n/k", "n/k")
    (flow,) = rows(section, "Money in and out")
    assert (flow["outflow_tokens"], flow["net_tokens"]) == ("20.0000", "-20.0000")


def test_what_a_pool_manages_is_shown_in_dollars(tmp_path: Path) -> None:
    """100 at 0.99 dollars, told in the evening, with what told the price."""
    told = {"asset": "USDC", "oracle_price_quote": "0.99", "block_timestamp": at(60)}

    section = shown(
        tmp_path,
        tokens=table("tokens", USDC | {"symbol": "USDC"}),
        pool_states=table("pool_states", POOL | {"assets_tokens": 100}),
        oracle_updates=table("oracle_updates", told | {"protocol": "chainlink"}),
    )

    (managed,) = rows(section, "Dollars that pools managed")
    assert (managed["tvl_usd"], managed["tvl_tokens"]) == ("99.00", "100.0000")
    assert (managed["price_protocol"], managed["price_evidence"]) == ("chainlink", "event")


def test_the_rows_can_be_asked_for_again(tmp_path: Path) -> None:
    """The window of the claim and the table is among the settings of both."""
    section = shown(tmp_path)

    settings = {each.name: each.settings for each in section.sources}
    assert settings["zero_liquidations"] == settings["resilience"]
    assert settings["resilience"]["event_start"] == "2025-10-10T20:59:00"


def test_without_times_nothing_is_claimed(tmp_path: Path) -> None:
    """Where nobody knows when the blocks were, no zero is worth a word."""
    section = shown(
        tmp_path,
        blocks=table("blocks"),
        liquidations=table("liquidations"),
        adls=table("adls", GMX | {"notional_usd": 1}),
    )

    assert "so nothing is said of zeros in them" in " ".join(section.words)
    assert [each for each in section.tables if each.caption.startswith("Whether")] == []
