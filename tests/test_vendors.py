"""Our numbers against vendors': the bridge closes to the last digit, and each rule is a step."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from pathlib import Path

import polars as pl
import pytest
from handmade import at, load, table, units, write_database
from hypothesis import given, settings
from hypothesis import strategies as st
from simulated_world import world
from typer.testing import CliRunner

from analytics.errors import UserError
from analytics.reports.summary import summary
from analytics.vendors.bridge import bridge
from analytics.vendors.rules import DEFINITIONS
from analytics.vendors.sums import sums
from indexer.tables import fact_tables
from perpscope import app, outcome

EXACT = Context(prec=100, rounding=ROUND_HALF_EVEN)
PLACES = Decimal("1e-18")
FEE: dict[str, object] = {
    "fee_usd": 100,
    "supply_side_usd": 60,
    "treasury_usd": 10,
    "holders_usd": 30,
}
SWAP = FEE | {"fee_kind": "swap"}
GMX_V1: dict[str, object] = {"protocol": "gmx_v1"}
GMX_V2: dict[str, object] = {"protocol": "gmx_v2"}

Told = list[tuple[str, object]]


def told(
    vendor: str, metric: str, facts: Mapping[str, pl.DataFrame], *, by_day: bool = False
) -> Told:
    """Return the steps of one metric: names, and amounts as short text."""
    rows = bridge(DEFINITIONS[vendor], load(**facts), load(**facts), by_day=by_day)
    mine = rows.filter((pl.col("metric") == metric) & (pl.col("kind") != "not_computable"))
    return [
        (name, None if amount is None else f"{amount:f}".rstrip("0").rstrip("."))
        for name, amount in mine.select("name", "amount_usd").iter_rows()
    ]


def amounts(vendor: str, metric: str, **facts: pl.DataFrame) -> list[object]:
    """Return the amounts of one metric, from ours to theirs."""
    return [amount for _, amount in told(vendor, metric, facts)]


def check_it_closes(vendor: str, facts: Callable[[str], pl.LazyFrame], *, by_day: bool) -> int:
    """Check that ours and all known steps are theirs in every bridge; return how many there are."""
    rows = bridge(DEFINITIONS[vendor], facts, facts, by_day=by_day)
    told = rows.filter(pl.col("kind") != "not_computable")
    keys = ["metric", "protocol", "date"]
    bridges = told.partition_by(keys)
    for each in bridges:
        kinds = each["kind"].to_list()
        assert kinds == ["ours", *["step"] * (len(kinds) - 2), "theirs"]
        assert each["step_number"].to_list() == list(range(len(kinds)))
        *parts, theirs = each["amount_usd"].to_list()
        if None in parts:
            continue
        total = Decimal(0)
        for part in parts:
            total = EXACT.add(total, part)
        assert total == theirs
    return len(bridges)


# --- rules, one by one ----------------------------------------------------------------------------


def test_swap_fees_are_booked_as_margin_fees() -> None:
    """Of 350 dollars a hundred are of swaps, booked as margin; 50 of liquidations stand apart."""
    forced = {"fee_usd": 50, "fee_kind": "liquidation"}
    fees = table("fees", GMX_V2 | FEE, GMX_V2 | FEE, GMX_V2 | SWAP, GMX_V2 | forced)

    assert amounts("defillama", "margin_fees", fees=fees) == ["200", "100", "300"]
    assert amounts("defillama", "swap_fees", fees=fees) == ["100", "-100", "0"]
    assert amounts("defillama", "liquidation_fees", fees=fees) == ["50", "50"]
    assert amounts("defillama", "fees", fees=fees) == ["350", "350"]


def test_a_constant_stands_for_every_split() -> None:
    """Forty of a hundred dollars were kept, a constant says 37, of which 27 and 10."""
    fees = table("fees", GMX_V2 | FEE)

    assert amounts("defillama", "supply_side", fees=fees) == ["60", "3", "63"]
    assert amounts("defillama", "protocol_revenue", fees=fees) == ["40", "-3", "37"]
    assert amounts("defillama", "treasury_revenue", fees=fees) == ["10", "0", "0", "10"]
    other = table("fees", FEE)
    assert amounts("defillama", "protocol_revenue", fees=other) == ["40", "40"]


def test_what_nobody_splits_is_not_the_treasurys() -> None:
    """Of revenue of $10 and $40 only the first is split, and no rate is declared: $10 it stays."""
    split = FEE | {"fee_usd": 10, "supply_side_usd": 0, "holders_usd": 0}
    fees = table("fees", split, {"fee_usd": 100, "supply_side_usd": 60, "market": "ETH"})

    assert amounts("defillama", "protocol_revenue", fees=fees) == ["50", "50"]
    assert amounts("defillama", "treasury_revenue", fees=fees) == ["10", "0", "10"]


def test_gmx_has_no_treasury_in_its_first_version() -> None:
    """Thirty of a hundred dollars are the stakers', whatever a fact says of a treasury."""
    fees = table("fees", GMX_V1 | FEE)

    assert amounts("defillama", "supply_side", fees=fees) == ["60", "10", "70"]
    assert amounts("defillama", "protocol_revenue", fees=fees) == ["40", "-10", "30"]
    assert amounts("defillama", "treasury_revenue", fees=fees) == ["10", "0", "-10", "0"]
    assert amounts("defillama", "holders_revenue", fees=fees) == ["30", "0", "0", "30"]


def test_what_holders_get_is_not_what_was_spent() -> None:
    """Thirty were set aside, 27 % of a hundred is published; twelve were spent, another metric."""
    facts = {
        "fees": table("fees", GMX_V2 | FEE),
        "buybacks": table("buybacks", GMX_V2 | {"spent_usd": 12}),
    }

    assert told("defillama", "holders_revenue", facts) == [
        ("our definition", "30"),
        ("income times the rate in force", "0"),
        ("27 % of all fees, for all history", "-3"),
        ("their definition", "27"),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "declared"),
    [("holders_share_of_revenue", "0.5", "20"), ("holders_share", "0.5", "30")],
)
def test_a_declared_rate_is_of_the_day_it_is_in_force(kind: str, value: str, declared: str) -> None:
    """Half of 40 dollars of revenue from the rate's first day on; one of fees is in their split."""
    policy = {"kind": kind, "value": value, "valid_from": datetime(2025, 10, 11)}
    later = FEE | {"block_timestamp": at(days=1)}
    facts = {
        "fees": table("fees", FEE, later),
        "policies": table("policies", policy | {"source": "test", "basis": "assumed"}),
    }

    whole = amounts("defillama", "holders_revenue", **facts)
    days = told("defillama", "holders_revenue", facts, by_day=True)

    # The day before, what its fees set aside is all that is declared: thirty.
    step = f"{int(declared) - 30}"
    assert whole == ["60", step, f"{30 + int(declared)}"]
    assert [amount for _, amount in days] == ["30", "0", "30", "30", step, declared]
    # What holders are declared is not the treasury's: both are the revenue of 40 a day.
    rest = amounts("defillama", "treasury_revenue", **facts)
    assert rest == ["20", f"{30 - int(declared)}", f"{50 - int(declared)}"]


def test_a_fee_without_a_split_takes_nothing_from_what_other_markets_declare() -> None:
    """Two of three fees of a day have no split: declared is the other's thirty, two are unknown."""
    fees = table("fees", FEE, *({"fee_usd": 100, "market": market} for market in ("0xe", "0xf")))

    rows = bridge(DEFINITIONS["defillama"], load(fees=fees), load(fees=fees), by_day=False)

    mine = rows.filter((pl.col("metric") == "holders_revenue") & pl.col("amount_usd").is_not_null())
    assert mine.select("amount_usd", "unknown_count").rows() == [(30, 2), (0, 2), (30, 2)]
    unsplit = table("fees", {"fee_usd": 100})
    assert amounts("defillama", "holders_revenue", fees=unsplit) == [None, None, None]


def test_a_trade_of_a_book_is_counted_once() -> None:
    """Both sides of one trade, trades known from one side alone, and a pool's trade."""
    book: dict[str, object] = {"chain_id": -1, "log_index": 7, "notional_delta_usd": 5}
    rows: list[dict[str, object]] = [
        book | {"item_index": 0},
        book | {"item_index": 2, "notional_delta_usd": -5},
        book | {"item_index": 10, "notional_delta_usd": 2},
        book | {"item_index": 12, "notional_delta_usd": 1},
        {"notional_delta_usd": -3},
    ]

    changes = table("position_changes", *rows)

    assert amounts("defillama", "volume", position_changes=changes) == ["16", "-5", "11"]


def test_closes_by_force_alone_are_no_volume() -> None:
    """Of a venue whose trades nobody tells there is no line; one traded before the window tells."""
    forced = {"cause": "liquidation", "notional_delta_usd": -3}
    within = {"position_changes": table("position_changes", forced)}
    traded = {"position_changes": table("position_changes", forced, {"notional_delta_usd": 9})}

    def lines(past: Mapping[str, pl.DataFrame]) -> list[object]:
        rows = bridge(DEFINITIONS["defillama"], load(**within), load(**past), by_day=False)
        return rows.filter(metric="volume")["amount_usd"].to_list()

    assert lines(within) == []
    assert lines(traded) == [3, 0, 3]


def test_dune_books_no_fee_of_a_liquidation() -> None:
    """Of 300 dollars a hundred are of a swap and a hundred of who was liquidated, twice at once."""
    who = GMX_V1 | {"account": "0xb", "tx_hash": "0xc"}
    forced_fee, beside = FEE | who, FEE | who | {"account": "0xd"}
    fees = table("fees", forced_fee, beside, GMX_V1 | SWAP)
    forced = table("liquidations", who, who)

    assert told("dune", "fees", {"fees": fees, "liquidations": forced}) == [
        ("our definition", "300"),
        ("swaps are no perps", "-100"),
        ("liquidations are free", "-100"),
        ("their definition", "100"),
    ]
    unpriced = table("fees", forced_fee | {"fee_usd": None}, GMX_V1 | FEE)
    assert amounts("dune", "fees", fees=unpriced, liquidations=forced) == ["100", "0", "0", "100"]


def test_dune_books_the_fee_of_a_close_that_forced_somebody_out() -> None:
    """A liquidation that a plain close tells is a row of theirs with its fee, like any close."""
    who = GMX_V1 | {"account": "0xb", "tx_hash": "0xc"}
    fees = table("fees", who | FEE)
    closed = table("liquidations", who | {"derivation": "inferred"})

    assert amounts("dune", "fees", fees=fees, liquidations=closed) == ["100", "0", "0", "100"]


def test_dune_has_no_second_version() -> None:
    """Whatever GMX v2 traded is nothing there, and a venue we did not read about has no line."""
    changes = table(
        "position_changes", GMX_V2 | {"notional_delta_usd": -8}, {"notional_delta_usd": 8}
    )

    assert amounts("dune", "volume", position_changes=changes) == ["8", "-8", "0"]


def until_day(end: int, *fees: tuple[int, int | None]) -> dict[str, pl.DataFrame]:
    """Return fees, by day and dollars, and the last block that is indexed, of a day."""
    rows = [
        {"block_timestamp": at(days=day), "fee_usd": usd, "supply_side_usd": 0} for day, usd in fees
    ]
    texts = ("declaration_digest", "finality", "proof", "logs_digest", "to_block_hash")
    covered = {"from_block": 1, "to_block": 9} | dict.fromkeys(texts, "-")
    header = {"number": 8, "hash": b"-", "parent_hash": b"-", "timestamp": at(days=end)}
    return {
        "fees": table("fees", *rows),
        "coverage": table("coverage", covered),
        "blocks": table("blocks", header, header | {"number": 9, "timestamp": None}),
    }


def test_a_month_becomes_a_year() -> None:
    """Ninety dollars in the last 30 days are 1,095 a year; ten before them do not count."""
    facts = until_day(30, (0, 10), (30, 90))

    assert told("token-terminal", "annual_fees", facts) == [
        ("our definition", "100"),
        ("the last 30 days of the window", "-10"),
        ("times 365 / 30", "1005"),
        ("their definition", "1095"),
    ]


def test_a_year_counts_what_is_unknown_in_its_month() -> None:
    """The window of a day knows its fee; a year's rate lacks one of the month before it."""
    past = until_day(40, (0, 10), (20, None), (40, 90))
    window = past | {"fees": past["fees"].tail(1)}

    rows = bridge(DEFINITIONS["token-terminal"], load(**window), load(**past), by_day=False)

    mine = rows.filter(pl.col("metric") == "annual_fees")
    assert mine["unknown_count"].to_list() == [0, 1, 1, 1]


def test_less_than_a_month_has_no_year() -> None:
    """Fees of 29 days do not tell a month: the steps and theirs are unknown, and it says why."""
    facts = until_day(29, (0, 10), (28, 90))

    rows = bridge(DEFINITIONS["token-terminal"], load(**facts), load(**facts), by_day=False)

    mine = rows.filter(pl.col("metric") == "annual_fees")
    assert mine["amount_usd"].to_list() == [100, None, None, None]
    assert "fees began less than 30 days" in mine["reason"].to_list()[1]


@pytest.mark.parametrize(
    ("end", "until", "month"), [(40, None, 90), (61, None, 0), (61, 40, 90), (40, 61, 90)]
)
def test_a_month_is_counted_back_from_the_end_of_the_window(
    end: int, until: int | None, month: int
) -> None:
    """What a protocol earned before it fell silent ages; nothing is told of what is not indexed."""
    frames = until_day(end, (0, 10), (30, 90))
    last = None if until is None else at(days=until)

    found = sums(load(**frames), load(**frames), ["protocol"], last)

    assert found.select("month_fees_usd", "month_revenue_usd").rows() == [(month, month)]


def test_the_window_ends_where_the_last_of_its_chains_does() -> None:
    """What is indexed of a second chain ends ten days before: the month is that of the first."""
    first, second = until_day(30, (0, 10), (30, 90)), until_day(20)
    there = {name: second[name].with_columns(chain_id=2) for name in ("coverage", "blocks")}
    frames = first | {
        name: pl.concat([first[name], rows], how="vertical_relaxed") for name, rows in there.items()
    }

    found = sums(load(**frames), load(**frames), ["protocol"])

    assert found["month_fees_usd"].to_list() == [90]


def test_a_window_of_unknown_end_has_no_month() -> None:
    """Of no block that is indexed a time is stored: what was charged then is not zero."""
    frames = until_day(30, (0, 10)) | {"blocks": table("blocks")}

    found = sums(load(**frames), load(**frames), ["protocol"])

    assert found.select("fees_usd", "month_fees_usd").rows() == [(10, None)]


def test_what_no_fact_tells_is_listed() -> None:
    """A rule that needs more than facts hold has a reason and no amount, whatever is there."""
    rows = bridge(DEFINITIONS["token-terminal"], load(), load(), by_day=False)

    assert rows["kind"].unique().to_list() == ["not_computable"]
    assert "earnings" in rows["metric"].to_list()
    assert rows["reason"].null_count() == 0
    assert rows["amount_usd"].null_count() == rows.height


def test_what_cannot_be_added_is_counted() -> None:
    """One of two fees has no price and no split: the sums are of the other, and say so."""
    fees = table("fees", GMX_V2 | FEE, GMX_V2)

    rows = bridge(DEFINITIONS["defillama"], load(fees=fees), load(fees=fees), by_day=False)

    kinds = ("ours", "step", "theirs")
    mine = rows.filter(pl.col("metric").is_in(["fees", "supply_side"]), pl.col("kind").is_in(kinds))
    assert mine["unknown_count"].to_list() == [1] * 5
    assert amounts("defillama", "fees", fees=table("fees", GMX_V2)) == [None, None]


def test_what_is_unknown_is_counted_where_it_is_missing() -> None:
    """A swap's fee without a price is missing in swaps alone, and not in what is not there."""
    frames = {
        "fees": table("fees", GMX_V2 | SWAP | {"fee_usd": None}, GMX_V2 | FEE),
        "position_changes": table("position_changes", GMX_V2),
    }

    def found(vendor: str, metric: str) -> list[tuple[object, ...]]:
        rows = bridge(DEFINITIONS[vendor], load(**frames), load(**frames), by_day=False)
        mine = rows.filter(pl.col("metric") == metric, pl.col("kind") != "not_computable")
        return mine.select("amount_usd", "unknown_count").rows()

    assert found("defillama", "margin_fees") == [(100, 0), (0, 1), (100, 1)]
    assert found("defillama", "swap_fees") == [(None, 1), (None, 0), (0, 0)]
    assert found("defillama", "liquidation_fees") == [(0, 0), (0, 0)]
    assert found("dune", "fees") == [(100, 1), (-100, 0), (0, 0)]
    assert found("dune", "volume") == [(None, 1), (None, 0), (0, 0)]


def test_a_share_of_all_fees_lacks_no_split() -> None:
    """A fee without a split is all of theirs, a constant part of it, and unknown in ours."""
    fees = table("fees", GMX_V2 | {"fee_usd": 100})

    rows = bridge(DEFINITIONS["defillama"], load(fees=fees), load(fees=fees), by_day=False)

    mine = rows.filter(pl.col("metric") == "supply_side")
    assert mine.select("amount_usd", "unknown_count").rows() == [(None, 1), (None, 0), (63, 0)]


# --- it closes ------------------------------------------------------------------------------------

part = st.integers(0, 10**32).map(units)
protocols = st.sampled_from(["gmx_v1", "gmx_v2", "hyperliquid", "venue"])
moments = st.integers(0, 40).map(lambda day: at(days=day))


def rows_of(name: str, **columns: st.SearchStrategy[object]) -> st.SearchStrategy[pl.DataFrame]:
    """Return tables with these columns, of few protocols on days of six weeks."""
    drawn = {"protocol": protocols, "block_timestamp": moments, **columns}
    rows = st.lists(st.fixed_dictionaries(drawn), max_size=8)
    return rows.map(lambda found: table(name, *found))


fees = rows_of(
    "fees",
    fee_kind=st.sampled_from(["swap", "position"]),
    fee_usd=part,
    supply_side_usd=st.none() | part,
    treasury_usd=part,
    holders_usd=part,
)
facts = st.fixed_dictionaries(
    {
        "fees": fees,
        "buybacks": rows_of("buybacks", spent_usd=st.none() | part),
        "liquidations": rows_of("liquidations", account=st.sampled_from(["0xa", "0xb"])),
        "position_changes": rows_of(
            "position_changes",
            chain_id=st.sampled_from([-1, 1]),
            item_index=st.sampled_from([0, 2, 4]),
            notional_delta_usd=st.none() | part,
        ),
    }
)


@pytest.mark.parametrize("vendor", sorted(DEFINITIONS))
@pytest.mark.parametrize("by_day", [False, True])
@settings(max_examples=10)
@given(frames=facts)
def test_every_bridge_closes(vendor: str, by_day: bool, frames: Mapping[str, pl.DataFrame]) -> None:
    """Ours plus the steps is theirs to the last of 18 places, whatever the facts."""
    check_it_closes(vendor, load(**frames), by_day=by_day)


@settings(max_examples=15)
@given(frame=fees)
def test_theirs_is_their_rule(frame: pl.DataFrame) -> None:
    """The end of a bridge is what the vendor's own formula makes of the same fees."""
    paid = frame.filter(pl.col("protocol") == "gmx_v2")["fee_usd"]
    total = Decimal(0)
    for one in paid:
        total = EXACT.add(total, one)
    published = EXACT.quantize(EXACT.multiply(total, Decimal("0.27")), PLACES)

    rows = bridge(DEFINITIONS["defillama"], load(fees=frame), load(fees=frame), by_day=False)

    theirs = rows.filter(
        (pl.col("metric") == "holders_revenue")
        & (pl.col("kind") == "theirs")
        & (pl.col("protocol") == "gmx_v2")
    )["amount_usd"].to_list()
    assert theirs == ([published] if len(paid) else [])


@pytest.mark.parametrize("vendor", sorted(DEFINITIONS))
@pytest.mark.parametrize("by_day", [False, True])
def test_the_bridges_of_the_simulated_world_close(vendor: str, by_day: bool) -> None:
    """Every protocol and metric of a whole simulated market."""
    ledger = world().ledger

    count = check_it_closes(vendor, lambda name: _table(ledger.table, name), by_day=by_day)

    assert count >= 4


def _table(stored: Callable[[str], pl.DataFrame], name: str) -> pl.LazyFrame:
    return stored(name).lazy() if name in fact_tables() else table(name).lazy()


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a database with one fee of GMX v2 and its coverage."""
    texts = ("declaration_digest", "finality", "proof", "logs_digest", "to_block_hash")
    covered = GMX_V2 | {"from_block": 1, "to_block": 9} | dict.fromkeys(texts, "-")
    frames = {"fees": table("fees", GMX_V2 | FEE), "coverage": table("coverage", covered)}
    return write_database(tmp_path / "p.duckdb", frames)


def test_ours_are_the_numbers_of_the_report(tmp_path: Path) -> None:
    """One fee of unknown split takes its day, market and kind from revenue, here as on the card."""
    known, month = GMX_V2 | FEE, {"block_timestamp": at(days=-40)}
    texts = ("declaration_digest", "finality", "proof", "logs_digest", "to_block_hash")
    covered = GMX_V2 | {"from_block": 1, "to_block": 9} | dict.fromkeys(texts, "-")
    fees = table(
        "fees", known, known | {"fee_usd": 5}, GMX_V2, known | {"market": "0xe"}, known | month
    )
    frames = {"fees": fees, "coverage": table("coverage", covered)}
    database = write_database(tmp_path / "p.duckdb", frames)

    card = summary(database).income

    for vendor in ("defillama", "token-terminal"):
        assert amounts(vendor, "fees", **frames)[0] == f"{card.fees_usd:.0f}" == "305"
        assert amounts(vendor, "protocol_revenue", **frames)[0] == f"{card.revenue_usd:.0f}" == "80"
    last = {"number": 8, "hash": b"-", "parent_hash": b"-", "timestamp": at(days=1)}
    frames["blocks"] = table("blocks", last)
    yearly = [("our definition", "80"), ("the last 30 days of the window", "-40")]
    assert told("token-terminal", "annual_revenue", frames)[:2] == yearly


def test_compare_prints_a_bridge(path: Path) -> None:
    """One row per rule with its amount, reason and source; a table says which version it is of."""
    words = ["compare", "--definition", "defillama", "--database", str(path)]

    as_csv = CliRunner().invoke(app, [*words, "--format", "csv", "--by", "day"])
    as_table = CliRunner().invoke(app, words)

    assert "gmx_v2,2025-10-10,supply_side,1,step," in as_csv.stdout
    assert as_table.stdout.startswith("their rules: DefiLlama/dimension-adapters e7346b0e9")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--definition", "messari"], "no definition is called messari: there are defillama"),
        (["--definition", "dune", "--protocol", "gmx"], "protocol gmx is not in this database"),
        (["--definition", "dune", "--from", "noon"], "--from: 'noon' is not a UTC time"),
    ],
)
def test_a_wrong_request_is_the_users_fault(path: Path, words: list[str], message: str) -> None:
    """An unknown vendor, a protocol that is not there and a bad time are named, with exit 2."""
    asked = ["compare", *words, "--database", str(path)]

    code = outcome(lambda: app(asked, standalone_mode=False))

    assert code == 2
    with pytest.raises(UserError, match=message):
        app(asked, standalone_mode=False)
