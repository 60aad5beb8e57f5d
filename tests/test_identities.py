"""What must hold of the facts: clean data passes, a single wrong digit is found and named."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from handmade import at, load, table, write_database
from report_rows import GMX, market, whole_coverage, written_market
from simulated_world import book
from typer.testing import CliRunner, Result

from analytics.errors import WorldError
from analytics.expressions import EVENT_ORDER
from analytics.identities import assessed, comparisons
from analytics.reports import Limits, write_report
from indexer.tables import fact_tables
from perpscope import app

Frames = Mapping[str, pl.DataFrame]
DIGIT = Decimal("1e-18")


def simulated() -> dict[str, pl.DataFrame]:
    """Return the books of the simulated world, every block of them covered."""
    facts = {name: book(name).collect() for name in fact_tables()}
    venues = pl.concat(
        frame.select("chain_id", "protocol") for frame in facts.values() if frame.height
    ).unique()
    covered = {"from_block": 0, "to_block": 2**40, "proof": "fetched"}
    spans = (row | covered for row in venues.iter_rows(named=True))
    return facts | {"coverage": table("coverage", *spans)}


def broken(frames: Frames) -> list[tuple[str, str]]:
    """Return identity and transaction of what does not hold."""
    found, _ = assessed(comparisons(load(**frames)))
    return found.select("identity", "tx_hash").rows()


def reasons(frames: Frames, identity: str) -> list[str | None]:
    """Return why each comparison of an identity cannot be made; None where it is made."""
    compared = comparisons(load(**frames)).filter(identity=identity)
    return compared.sort("subject", *EVENT_ORDER).collect()["reason"].to_list()


def test_the_simulated_world_holds() -> None:
    """No false alarm on thousands of rows, and every identity of chains has been compared."""
    found, counts = assessed(comparisons(load(**simulated())))

    assert found.is_empty()
    made = counts.filter(pl.col("reason").is_null())
    assert set(made["identity"]) == {
        *("fee_split", "open_interest_usd", "open_interest_tokens"),
        *("position_tokens", "pool_supply"),
    }
    assert made["row_count"].sum() > 7_000
    assert "imported_position" not in set(counts["identity"])


@pytest.mark.parametrize(
    ("name", "column", "identity"),
    [
        ("fees", "treasury_usd", "fee_split"),
        ("open_interest", "open_interest_tokens", "open_interest_tokens"),
        ("open_interest", "open_interest_delta_tokens", "open_interest_tokens"),
        ("position_changes", "size_tokens", "position_tokens"),
        ("pool_flows", "share_tokens", "pool_supply"),
        ("share_prices", "supply_tokens", "pool_supply"),
    ],
)
def test_a_wrong_digit_is_found_and_named(name: str, column: str, identity: str) -> None:
    """One row off by the last digit breaks its own identity, in its own or the next transaction."""
    frames = simulated()
    known = frames[name].sort("block_number", "log_index").with_row_index("place")
    places = known.filter(pl.col(column).is_not_null())["place"]
    place = places[len(places) // 2]
    one = pl.when(pl.col("place") == place).then(pl.lit(DIGIT)).otherwise(0)
    wrong = known.with_columns((pl.col(column) + one).cast(pl.Decimal(38, 18))).drop("place")

    found = broken(frames | {name: wrong})

    assert {each for each, _ in found} == {identity}
    assert found[0][1] == known["tx_hash"][place] or name == "pool_flows"


def test_a_row_that_is_there_twice_is_found() -> None:
    """An event that was stored twice breaks the chain of open interest."""
    frames = simulated()
    twice = pl.concat([frames["open_interest"], frames["open_interest"][100:101]])

    assert frames["open_interest"]["tx_hash"][100] in {
        tx_hash for _, tx_hash in broken(frames | {"open_interest": twice})
    }


def test_fees_without_all_parts_are_not_compared() -> None:
    """Unknown parts make no breach, and no success either."""
    whole = {"fee_usd": 10, "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}
    frames = {"fees": table("fees", whole, whole | {"holders_usd": None}, whole | {"fee_usd": 9})}

    assert reasons(frames, "fee_split") == [None, "a part is not known", None]
    assert broken(frames) == [("fee_split", f"0x{2:064x}")]


def test_nobody_burns_more_than_was_bought() -> None:
    """Equal is fine, one digit more is not."""
    burned = [5, "5.000000000000000001", None]
    rows = ({"bought_tokens": 5, "burned_tokens": each} for each in burned)

    assert broken({"buybacks": table("buybacks", *rows)}) == [("buyback_burn", f"0x{1:064x}")]


def shares(protocol: str) -> Frames:
    """Return ten shares, two deposited after that, and thirteen; what bridges do is of Ondo."""
    readings = ({"supply_tokens": 10, "block_number": 1}, {"supply_tokens": 13, "block_number": 9})
    deposit = {"kind": "deposit", "share_tokens": 2, "block_number": 5}
    of: dict[str, object] = {"protocol": protocol}
    bridged = {"protocol": "ondo", "reason": "bridges make and destroy them"}
    return {
        "coverage": table("coverage", of | {"from_block": 1, "to_block": 9}),
        "share_prices": table("share_prices", *(of | {"log_index": -1} | row for row in readings)),
        "pool_flows": table("pool_flows", of | deposit),
        "untold_shares": table("untold_shares", bridged),
    }


def test_shares_that_no_flow_tells_are_no_breach() -> None:
    """What a declaration says of its own shares is why they are not compared; others' are."""
    assert broken(shares("ondo")) == []
    assert set(reasons(shares("ondo"), "pool_supply")) == {
        "not all shares are told by flows: bridges make and destroy them"
    }
    assert [identity for identity, _ in broken(shares("maple"))] == ["pool_supply"]


def test_shares_of_a_flow_that_nobody_tells_are_no_breach() -> None:
    """A deposit of unknown shares may explain any supply."""
    frames = dict(shares("maple"))
    unknown = pl.lit(None, pl.Decimal(38, 18)).alias("share_tokens")
    frames["pool_flows"] = frames["pool_flows"].with_columns(unknown)

    assert broken(frames) == []
    assert reasons(frames, "pool_supply")[1] == "a part is not known"


def interest(*blocks: int, **more: pl.DataFrame) -> Frames:
    """Return an open interest that grows by 2 in each of these blocks, and says 3."""
    rows = (
        {"open_interest_tokens": 3 * place, "open_interest_delta_tokens": 2, "block_number": block}
        for place, block in enumerate(blocks)
    )
    covered = {"protocol": "venue", "chain_id": 1, "from_block": 1, "to_block": 9}
    return {
        "coverage": table("coverage", covered, covered | {"from_block": 10, "to_block": 12}),
        "open_interest": table("open_interest", *rows),
    } | more


def test_ranges_that_touch_are_one() -> None:
    """Two ranges without a block between them leave nothing out."""
    assert broken(interest(9, 10)) == [("open_interest_tokens", f"0x{1:064x}")]


@pytest.mark.parametrize(
    "frames",
    [
        interest(9, 13),
        interest(9, 14, coverage=table("coverage")),
        interest(8, 9, origins=table("origins", {"chain_id": 1, "kind": "recorded"})),
        interest(
            *(7, 9),
            rejects=table("rejects", {"protocol": "venue", "block_number": 8, "fact": None}),
        ),
    ],
    ids=["a gap", "nothing covered", "a recording", "a reject"],
)
def test_what_may_lack_rows_is_not_compared(frames: Frames) -> None:
    """Where not all that happened can be there, a difference says nothing."""
    assert broken(frames) == []
    assert reasons(frames, "open_interest_tokens")[1] == "not all that happened in between is there"


@pytest.mark.parametrize(
    ("log", "is_told"),
    [(2, True), (3, False), (6, False), (7, False), (8, True)],
    ids=["before both", "beside the first", "between", "beside the second", "after both"],
)
def test_a_reject_is_where_its_log_is(log: int, *, is_told: bool) -> None:
    """Two logs of one block and a difference of one: only what was lost between explains it."""
    lost = {"protocol": "venue", "block_number": 7, "log_index": log}
    rows = (
        {"open_interest_tokens": 3 * place, "open_interest_delta_tokens": 2, "log_index": index}
        for place, index in enumerate((3, 7))
    )
    told = table("open_interest", *(row | {"block_number": 7} for row in rows))

    found = broken(interest(rejects=table("rejects", lost), open_interest=told))

    assert bool(found) == is_told


def test_what_was_lost_later_in_a_block_explains_what_follows() -> None:
    """A row of log 3, a reject of log 5 and a row of the next block: one is missing between."""
    lost = table("rejects", {"protocol": "venue", "block_number": 8, "log_index": 5})

    assert broken(interest(8, 9)) == [("open_interest_tokens", f"0x{1:064x}")]
    assert broken(interest(8, 9, rejects=lost)) == []


def test_dollars_may_lack_a_digit_that_was_cut() -> None:
    """One digit of 1e-18 per change is what cutting 30 places explains, two are not."""
    covered = {"protocol": "venue", "chain_id": 1, "from_block": 1, "to_block": 9}

    def off_by(digits: int) -> Frames:
        second = {"open_interest_usd": 3 + digits * DIGIT, "open_interest_delta_usd": 2}
        rows = ({"open_interest_usd": 1}, second | {"block_number": 2})
        return {
            "coverage": table("coverage", covered),
            "open_interest": table("open_interest", *rows),
        }

    assert [len(broken(off_by(digits))) for digits in (-2, -1, 0, 1, 2)] == [1, 0, 0, 0, 1]


def imported(
    *positions: tuple[float, float, float], about: str | None = None, rejects: int = 0
) -> Frames:
    """Return positions of an imported venue: second, change, size after; one file of 60 seconds."""
    place = {"chain_id": -1, "protocol": "hyperliquid", "market": "BTC"}
    rows = (
        place
        | {"block_timestamp": at(second), "block_number": int(second)}
        | {"size_delta_tokens": change, "size_tokens": size}
        for second, change, size in positions
    )
    file = {"chain_id": -1, "protocol": "hyperliquid", "from_at": at(0), "to_at": at(60)}
    return {
        "position_changes": table("position_changes", *rows),
        "imports": table("imports", file | {"about": about, "rejects": rejects}),
    }


def test_fills_of_one_moment_may_come_in_any_order() -> None:
    """Of a millisecond only its start and its end can be told, and they must fit the next one."""
    held = imported((0, 1, 1), (5, 2, 6), (5, 3, 4), (9, 1, 7))
    wrong = imported((0, 1, 1), (5, 2, 6), (5, 3, 4), (9, 1, 8))

    assert broken(held) == []
    assert broken(wrong) == [("imported_position", f"0x{3:064x}")]


def test_fills_both_ways_in_one_moment_prove_nothing() -> None:
    """Bought and sold in a millisecond: neither its start nor its end is told."""
    frames = imported((0, 1, 1), (5, 2, 3), (5, -1, 2), (9, 1, 8))

    assert broken(frames) == []
    assert (
        reasons(frames, "imported_position")[1:]
        == ["several events of one moment, whose order is not told"] * 2
    )


@pytest.mark.parametrize("about", ["0xa", "BTC"])
def test_a_file_of_an_account_or_a_market_holds_what_is_its_own(about: str) -> None:
    """What it tells of a position is all there was of it."""
    frames = imported((0, 1, 1), (5, 1, 9), about=about)

    assert broken(frames) == [("imported_position", f"0x{1:064x}")]


@pytest.mark.parametrize(
    "frames",
    [
        imported((0, 1, 1), (61, 1, 9)),
        imported((0, 1, 1), (5, 1, 9), about="0xelse"),
        imported((0, 1, 1), (5, 1, 9), rejects=1),
    ],
    ids=["after the file", "a file of another account", "a file with a reject"],
)
def test_files_that_do_not_hold_what_was_between_prove_nothing(frames: Frames) -> None:
    """A position that jumps between files, or where a fill may be refused, is not compared."""
    assert broken(frames) == []


def test_a_balance_moves_by_what_was_bought() -> None:
    """A purchase that no file tells is found, of whom the file is about; of others nobody knows."""
    place = {"chain_id": -1, "protocol": "hyperliquid", "account": "0xfund", "token": "HYPE"}
    bought = (
        place
        | {"block_timestamp": at(second), "block_number": second}
        | {"delta_tokens": tokens, "balance_tokens": held}
        for second, tokens, held in ((0, 2, 12), (5, 3, 15), (5, 1, 16), (9, 4, 27))
    )
    file = {"chain_id": -1, "protocol": "hyperliquid", "from_at": at(0), "to_at": at(60)}
    file |= {"rejects": 0}
    balances = table("balances", *bought)

    found = {
        about: broken({"balances": balances, "imports": table("imports", file | {"about": about})})
        for about in (None, "0xfund", "0xelse", "HYPE")
    }

    breach = [("imported_balance", f"0x{3:064x}")]
    assert found == {None: breach, "0xfund": breach, "0xelse": [], "HYPE": []}


def test_a_balance_on_a_chain_moves_by_what_changed() -> None:
    """Of covered blocks each balance is the one before and what changed since."""
    held = ({"block_number": n, "delta_tokens": 1, "balance_tokens": n} for n in (1, 2, 4))
    covered = table("coverage", {"from_block": 0, "to_block": 9})

    frames = {"balances": table("balances", *held), "coverage": covered}

    assert broken(frames) == [("balance_tokens", f"0x{2:064x}")]


@pytest.mark.parametrize(
    ("files", "breaches"),
    [
        ([(0, 60), (20, 30)], 1),  # the later one ends first
        ([(0, 60), (0, 30)], 1),
        ([(0, 30), (30, 60)], 0),
        ([(30, 60), (0, 29)], 0),
        ([(0, None), (None, 60)], 0),
    ],
)
def test_one_of_many_files_must_hold_all_that_was_between(
    files: list[tuple[int | None, int | None]], breaches: int
) -> None:
    """A jump from second 25 to 40 is one where any file has both, whatever begins in between."""
    frames = imported((25, 1, 1), (40, 1, 9))
    spans = [[end if end is None else at(end) for end in ends] for ends in files]
    whose = {"chain_id": -1, "protocol": "hyperliquid"}
    told = table("imports", *(whose | {"from_at": a, "to_at": b, "rejects": 0} for a, b in spans))

    assert len(broken({**frames, "imports": told})) == breaches


def contradiction() -> dict[str, pl.DataFrame]:
    """Return the small market with a fee that is not the sum of its parts."""
    parts = {"fee_usd": 11, "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}
    wrong = table("fees", GMX | parts | {"tx_hash": "0x" + "bad0" * 16, "block_timestamp": at(5)})
    frames = market()
    fees = pl.concat([frames["fees"], wrong])
    return frames | {"fees": fees, "coverage": whole_coverage()}


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a database that contradicts itself."""
    return write_database(tmp_path_factory.mktemp("wrong") / "w.duckdb", contradiction())


def run(*arguments: str | Path) -> Result:
    """Run a command of analytics."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def test_a_contradiction_is_not_published(wrong: Path, tmp_path: Path) -> None:
    """The report is refused with the transaction in the message, and nothing is written."""
    with pytest.raises(WorldError, match="fee_split of gmx_v2 on arbitrum, block 1, 0xbad0bad0"):
        write_report(wrong, tmp_path / "report")

    assert not (tmp_path / "report").exists()


def test_a_contradiction_is_published_with_a_warning(wrong: Path, tmp_path: Path) -> None:
    """Who insists gets the report, with the transaction in its first warning."""
    until = ("--protocol", "gmx_v2", "--from", "2025-10-10T21:00:01", "--to", "2025-10-10T21:00:10")
    words = ("report", "--database", wrong, "--output", tmp_path / "r", "--despite-breaches")

    result = run(*words, *until)

    page = (tmp_path / "r/report.md").read_text(encoding="utf-8")
    assert result.exit_code == 0
    assert "1 fact of this data contradicts others: fee\\_split of" in page.replace("_", "\\_")


def test_check_lists_what_is_wrong(wrong: Path, tmp_path: Path) -> None:
    """The command fails on a contradiction, whose transaction is in its output, and not else."""
    result = run("check", "--database", wrong)
    clean = written_market(tmp_path, coverage=whole_coverage())

    assert isinstance(result.exception, WorldError)
    assert "1 fact of this database contradicts others" in str(result.exception)
    assert "broken:" in result.stdout
    assert "0xbad0bad0" in result.stdout
    sound = run("check", "--database", clean)
    assert sound.exit_code == 0
    assert "nothing is broken" in sound.stdout
    assert "tested in full" in sound.stdout
    assert "broken:" not in sound.stdout


def test_check_names_facts_that_nothing_fetched_tells_of(tmp_path: Path) -> None:
    """Sound facts in blocks that nobody covers are no sound data."""
    result = run("check", "--database", written_market(tmp_path))

    assert isinstance(result.exception, WorldError)
    assert "nothing is broken" in result.stdout
    assert "of fees of gmx_v2 on arbitrum" in str(result.exception)


@pytest.mark.parametrize(
    ("limit", "warned"),
    [(("--protocol", "maple"), ""), (("--from", "2030-01-01"), "no block of this time is covered")],
)
def test_where_nothing_is_compared_nothing_is_found_sound(
    wrong: Path, limit: tuple[str, str], warned: str
) -> None:
    """Nothing of Maple's credit can be held against anything, nor what nobody indexed."""
    said = run("check", "--database", wrong, *limit)

    assert "nothing could be compared" in said.stdout
    assert "nothing is broken" not in said.stdout
    assert warned in said.stderr


@pytest.mark.parametrize("limit", [("--protocol", "maple"), ("--from", "2025-10-10T22:00:00")])
def test_only_what_is_asked_about_is_checked(wrong: Path, limit: tuple[str, str]) -> None:
    """A breach of another venue or time is not this report's."""
    assert run("check", "--database", wrong, *limit).exit_code == 0


def proven(tmp_path: Path, *levels: tuple[str, str | None]) -> Callable[[str], Path]:
    """Return a writer of reports on ranges that are proven so far."""
    ranges = (
        GMX
        | {"from_block": 10 * place, "to_block": 10 * place + 9, "proof": proof}
        | {"waiver": waiver, "finality": "finalized", "declaration_digest": "d"}
        | {"logs_digest": "ab", "to_block_hash": "0xff"}
        for place, (proof, waiver) in enumerate(levels)
    )
    database = written_market(tmp_path, coverage=table("coverage", *ranges))
    # All ranges are asked about, whatever the time; a report of a time without events is short.
    quiet = Limits(until=at(days=-1))
    return lambda level: write_report(database, tmp_path / "report", quiet, require_proof=level)


def test_data_below_the_level_is_refused(tmp_path: Path) -> None:
    """The message names the ranges that are proven less far, and only these."""
    write = proven(tmp_path, ("fetched", None), ("bloom", None), ("receipts", None))

    with pytest.raises(WorldError, match=r"blocks 0–9 \(fetched\); run") as refused:
        write("bloom")
    assert "10–19" not in str(refused.value)
    with pytest.raises(WorldError, match=r"2 ranges of data proven less far than receipts"):
        write("receipts")
    assert write("fetched").is_dir()


def test_what_a_chain_waives_passes(tmp_path: Path) -> None:
    """A chain that cannot be proven further by its own rules is not refused for it."""
    write = proven(tmp_path, ("waived", "zero blooms"), ("bloom", "no receipts root"))

    assert write("receipts").is_dir()


def test_imported_files_are_below_every_level(tmp_path: Path) -> None:
    """Nothing proves a file, so who asks for a proof does not get its numbers."""
    file: dict[str, object]
    file = {"chain_id": -1, "protocol": "hyperliquid", "file": "fills.json", "kind": "fills"}
    file |= {"sha256": "ab", "imported_at": at(0)}
    file |= dict.fromkeys(("entries_read", "entries_used", "rejects"), 1)
    database = written_market(tmp_path, imports=table("imports", file))

    with pytest.raises(WorldError, match=r"hyperliquid on hypercore, file fills.json \(imported\)"):
        write_report(database, tmp_path / "report", require_proof="fetched")
