"""Files that are not what they should be: named, counted, and never half in the database."""

import gzip
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import lz4.frame
import pytest
from commands import perpscope
from import_rig import (
    LOSER,
    VAULT,
    WINNER,
    Event,
    brought,
    by_block,
    by_line,
    document,
    facts,
    fill,
    rows,
    written,
)

from indexer.errors import UserError
from indexer.imports import VENUES, bring
from indexer.imports.reading import About
from indexer.protocols import PROTOCOLS
from indexer.spec import Policy

GOOD: Event = (WINNER, fill(tid=9))
LONG = "x" * 5_000
REASON = "rejects", "fact", "reason", "tx_hash"


def stopped(
    capsys: pytest.CaptureFixture[str], folder: Path, venue: str, file: Path, *more: str
) -> tuple[int, str]:
    """Import a file that cannot be, and return the exit code and the one line that says why."""
    capsys.readouterr()
    code = perpscope("import", venue, file, "--database", folder / "a.duckdb", *more)
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    return code, said


BAD: list[tuple[dict[str, Any], str]] = [
    ({"px": "NaN"}, "px is NaN: expected a decimal number of at most 20 digits"),
    ({"px": "-100.0"}, "px is -100.0: expected a number above zero"),
    ({"px": "0.0"}, "px is 0.0: expected a number above zero"),
    ({"coin": "#10", "px": "-0.5"}, "px is -0.5: expected a number that is not below zero"),
    ({"sz": "0.000"}, "sz is 0.000: expected a number above zero"),
    ({"sz": "1e5"}, "sz is 1e5: expected a decimal number"),
    ({"fee": "0.1234567890123456789"}, "fee is 0.1234567890123456789: expected"),
    ({"px": "123456789012345678901"}, "px is 123456789012345678901: expected"),
    ({"px": "Infinity"}, "px is Infinity: expected"),
    ({"px": 100.0}, "Expected `str`, got `float` - at `$.px`"),
    ({"side": "X"}, "side is X: expected A or B"),
    ({"hash": "0x12"}, "hash is 0x12: expected a hash"),
    ({"time": 1_760_130_964}, "time is 1760130964: expected a number from 1600000000000"),
    ({"time": 1 << 70}, "time is beyond 64 bits: expected a number from 1600000000000"),
    ({"tid": -1}, "tid is -1: expected a number from 0"),
    ({"tid": 1 << 60}, f"tid is {1 << 60}: expected a number from 0"),
    ({"tid": 1 << 70}, "tid is beyond 64 bits: expected a number from 0"),
    ({"dir": "Liquidated Cross Long"}, "dir is Liquidated Cross Long and nothing says who"),
    ({"liquidation": {"method": "market"}}, "dir is Open Long and nothing says who"),
    ({"dir": f"Liquidated {LONG}"}, f"dir is {f'Liquidated {LONG}'[:80]} and nothing says who"),
    ({"coin": None}, "Expected `str`, got `null` - at `$.coin`"),
]


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of a file with a line for each bad entry, a good one beside each."""
    folder = tmp_path_factory.mktemp("refused")
    lines = [[(LOSER, fill(**said)), GOOD] for said, _ in BAD]
    return brought(folder, "hyperliquid", written(folder, "hour.jsonl", by_block([GOOD], *lines)))


@pytest.mark.parametrize(
    ("line", "reason"),
    [(line, reason) for line, (_, reason) in enumerate(BAD, 2)],
    ids=[str(said)[:40] for said, _ in BAD],
)
def test_a_bad_entry_costs_itself(refused: Path, line: int, reason: str) -> None:
    """It is refused with its file, line and reason."""
    (why,) = [
        why for _, why, where in rows(refused, *REASON) if where == f"hour.jsonl, line {line}"
    ]

    assert why.startswith(reason)


def test_what_is_beside_bad_entries_stands(refused: Path) -> None:
    """The good entry of every line is the same, and is stored once."""
    assert rows(refused, "fees", "account") == [(WINNER,)]
    assert rows(refused, "imports", "entries_read", "entries_used", "rejects") == [
        (1 + 2 * len(BAD), 1, len(BAD))
    ]


def test_an_account_that_is_none_is_refused(tmp_path: Path) -> None:
    """The account is part of the entry, and checked like the rest of it."""
    path = brought(
        tmp_path, "hyperliquid", written(tmp_path, "a.jsonl", by_line(("0x12", fill()), GOOD))
    )

    assert rows(path, *REASON) == [(None, "user is 0x12: expected an address", "a.jsonl, line 1")]


def test_a_product_that_does_not_fit_costs_one_row(tmp_path: Path) -> None:
    """The fee of a fill whose notional is beyond DECIMAL(38,18) stands; nothing is rounded."""
    huge = fill(px="99999999999", sz="99999999999")
    path = brought(tmp_path, "hyperliquid", written(tmp_path, "a.jsonl", by_block([(LOSER, huge)])))

    assert rows(path, *REASON) == [
        ("position_changes", "the value does not fit DECIMAL(38,18)", "a.jsonl, line 1")
    ]
    assert rows(path, "fees", "fee_usd") == [("0.04",)]
    assert rows(path, "position_changes", "account") == []


def test_a_label_nobody_knows_costs_the_position_change(tmp_path: Path) -> None:
    """What a fill is called decides what it may be; its fee was charged whatever it is."""
    file = written(tmp_path, "a.jsonl", by_block([(LOSER, fill(dir="Liquidated Portfolio"))]))
    assert perpscope("import", "hyperliquid", file, "--database", tmp_path / "b.duckdb") == 0
    odd = written(tmp_path, "b.jsonl", by_block([(LOSER, fill(dir="Seized"))]))
    path = brought(tmp_path, "hyperliquid", odd)

    assert rows(path, *REASON) == [
        ("position_changes", "Seized is not in the declared table", "b.jsonl, line 1")
    ]
    assert len(rows(path, "fees", "account")) == 1


def test_a_label_without_end_is_not_repeated(tmp_path: Path) -> None:
    """A reason says how a long text begins: rejects of a hostile file are no larger than others."""
    odd = written(tmp_path, "a.jsonl", by_block([(LOSER, fill(dir=LONG))]))
    path = brought(tmp_path, "hyperliquid", odd)

    assert rows(path, *REASON) == [
        ("position_changes", f"{LONG[:80]} is not in the declared table", "a.jsonl, line 1")
    ]


def test_a_block_of_lists_in_lists_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However deep they are, one line says which file cannot be read."""
    deep = written(tmp_path, "a.jsonl", b'{"events":' + b"[" * 100_000)

    code, said = stopped(capsys, tmp_path, "hyperliquid", deep)

    assert code == 1
    assert f"{deep} cannot be read to its end" in said


def test_fields_nobody_knows_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are not used, and the fill is; the output says which and where."""
    more = fill(liquidation={"liquidatedUser": LOSER, "markPx": "1", "method": "market", "new": 1})
    file = written(
        tmp_path, "a.jsonl", by_block([GOOD], [(LOSER, more | {"surprise": [1], "side": "A"})])
    )
    path = brought(tmp_path, "hyperliquid", file)

    out = capsys.readouterr().out
    assert f"{file}: field surprise is not known here and was not used, line 2" in out
    assert f"{file}: field liquidation.new is not known here and was not used, line 2" in out
    assert len(rows(path, "fees", "account")) == 2


def test_a_folder_with_brackets_is_a_folder(tmp_path: Path) -> None:
    """The rows beside the database are those of its own folder, not of one that a pattern names."""
    folder = tmp_path / "data [old]*"
    folder.mkdir()
    fills = written(tmp_path, "fills", by_line((WINNER, fill())))

    path = brought(folder, "hyperliquid", fills)

    assert rows(path, "imports", "entries_used") == [(1,)]


def test_repeated_entries_count_once(tmp_path: Path) -> None:
    """The same fill twice in a file is one; a third that says otherwise is refused by name."""
    other = (GOOD[0], GOOD[1] | {"px": "101.0"})
    path = brought(
        tmp_path, "hyperliquid", written(tmp_path, "a.jsonl", by_block([GOOD, GOOD], [other]))
    )

    assert rows(path, "position_changes", "notional_delta_usd") == [("100",)]
    assert rows(path, "fees", "fee_usd") == [("0.04",)]
    assert rows(path, *REASON) == [
        (
            "position_changes",
            "contradicts what is stored of the same trade: notional_delta_usd, execution_price_usd",
            "a.jsonl, line 2",
        )
    ]


def test_a_file_that_contradicts_another_is_refused_by_row(tmp_path: Path) -> None:
    """What was stored first stands; the other is counted, whole rows and their columns named."""
    one = written(tmp_path, "one.jsonl", by_block([GOOD]))
    other = written(tmp_path, "other.jsonl", by_block([(GOOD[0], GOOD[1] | {"fee": "0.05"})]))
    path = brought(tmp_path, "hyperliquid", one, other)

    assert rows(path, "fees", "fee_usd") == [("0.04",)]
    ((fact, reason, where),) = rows(path, *REASON)
    assert (fact, where) == ("fees", "other.jsonl, line 1")
    assert reason.endswith("fee_tokens, fee_usd, supply_side_usd, holders_usd")
    assert rows(path, "imports", "file", "entries_used", "rejects") == [
        ("one.jsonl", 1, 0),
        ("other.jsonl", 0, 1),
    ]


@pytest.mark.parametrize("suffix", ["gz", "lz4", "jsonl"])
def test_a_file_that_is_cut_off_leaves_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    """Whatever it is compressed with: exit 1, one sentence, and the database as it was."""
    path = brought(tmp_path, "hyperliquid", written(tmp_path, "one.jsonl", by_block([GOOD])))
    before = facts(path)
    events = [(LOSER, fill(tid=number, sz=f"{number}.5")) for number in range(1, 3_000)]
    whole = written(tmp_path, f"hour.{suffix}", by_block(*([event] for event in events)))
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])

    code, said = stopped(capsys, tmp_path, "hyperliquid", whole)

    assert code == 1
    assert f"hour.{suffix}" in said
    assert "fetch it again" in said
    assert facts(path) == before
    assert rows(path, "imports", "file") == [("one.jsonl",)]
    assert [each.name for each in tmp_path.iterdir() if "import" in each.name] == []


@pytest.mark.parametrize("before", [[], [[GOOD]]], ids=["first", "second"])
@pytest.mark.parametrize("line", [b'{"events": [\n', b'{"events": [["\xff", {}]]}\n'])
def test_a_line_that_is_no_json_stops_the_file(
    line: bytes,
    before: list[list[Event]],
    *,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Who knows what else is lost: the line is named, and nothing of the file is taken."""
    content = by_block(*before) + line + by_block([GOOD])
    file = written(tmp_path, "a.jsonl", content)

    code, said = stopped(capsys, tmp_path, "hyperliquid", file)

    assert code == 1
    assert f"a.jsonl, line {len(before) + 1} is not JSON" in said
    assert not (tmp_path / "a.duckdb").exists()


@pytest.mark.parametrize(
    ("venue", "content", "account"),
    [
        ("hyperliquid", document([fill()]), LOSER),
        ("dydx", document({"fills": ["here"]}), "dydx1" + "q" * 38),
    ],
    ids=["hyperliquid", "dydx"],
)
def test_a_document_that_is_no_utf8_is_damaged(
    venue: str, content: bytes, account: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bytes of it have turned over."""
    file = written(tmp_path, "a.json", content.replace(b"e", b"\xff"))

    code, said = stopped(capsys, tmp_path, venue, file, "--account", account)

    assert code == 1
    assert "a.json, line 1 is not JSON" in said


@pytest.mark.parametrize(
    ("venue", "content", "said"),
    [
        ("hyperliquid", document({"trades": []}), "holds something else: expected node_fills"),
        ("hyperliquid", b"block,price\n1,2\n", "holds something else: expected node_fills"),
        ("hyperliquid", b"", "holds something else: expected node_fills"),
        ("hyperliquid", b"[1, 2]", "holds something else: expected node_fills"),
        (
            "dydx",
            by_block([GOOD]).splitlines()[0],
            "holds something else: expected fills or trades",
        ),
        ("dydx", document([fill()]), "holds something else: expected fills or trades"),
        ("dydx", b'{"a": 1}\n{"a": 2}\n', "holds something else: expected fills or trades"),
        (
            "hyperliquid",
            document([fill()]),
            "does not say whose fills these are: expected --account",
        ),
        ("dydx", document({"fills": []}), "does not say of which account it is"),
        ("dydx", document({"trades": []}), "does not say of which market it is"),
    ],
)
def test_a_file_of_something_else_is_the_users_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], venue: str, content: bytes, said: str
) -> None:
    """Another venue's, another format, or one that does not say whose it is: exit 2."""
    code, sentence = stopped(capsys, tmp_path, venue, written(tmp_path, "x.json", content))

    assert code == 2
    assert said in sentence
    assert not (tmp_path / "a.duckdb").exists()


@pytest.mark.parametrize(
    ("venue", "content", "said"),
    [
        ("hyperliquid", [fill()], "no account of Hyperliquid: expected 0x and 40 hex digits;"),
        ("dydx", {"fills": []}, "no account of dYdX v4: expected dydx1 and then small letters"),
    ],
)
def test_an_account_that_cannot_be_is_the_users_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], venue: str, content: object, said: str
) -> None:
    """Every entry would be refused for it, and the file then be one that is imported."""
    file = written(tmp_path, "x.json", document(content))

    code, sentence = stopped(capsys, tmp_path, venue, file, "--account", "0x12")

    assert (code, said in sentence) == (2, True)
    assert not (tmp_path / "a.duckdb").exists()


def test_a_file_that_another_process_imports_meanwhile_is_there_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether it was imported is asked again in the transaction that writes it."""
    file = written(tmp_path, "a.jsonl", by_line(GOOD))
    before = facts(brought(tmp_path, "hyperliquid", file))
    monkeypatch.setattr("indexer.imports.bringing.brought_before", lambda *_given: None)

    path = brought(tmp_path, "hyperliquid", file)

    assert facts(path) == before
    assert rows(path, "imports", "file") == [("a.jsonl",)]


def test_files_are_not_imported_by_two_declarations(tmp_path: Path) -> None:
    """Nothing derives them again, so what was imported before would stay as it was read."""
    first = written(tmp_path, "a.jsonl", by_line(GOOD))
    path = brought(tmp_path, "hyperliquid", first)
    before, venue = path.read_bytes(), VENUES["hyperliquid"]
    now = PROTOCOLS["hyperliquid"]
    half = Policy("holders_share", "0.5", "2025-09-01", "test", "assumed")
    split = replace(now, policies=(*now.policies, half))
    entry = replace(now.entries[0], version="2")
    read = replace(now, entries=(entry, *now.entries[1:]))
    for changed, name, tid in (
        (split, "a.jsonl", 9),
        (split, "b.jsonl", 10),
        (read, "c.jsonl", 11),
    ):
        file = written(tmp_path, name, by_line((WINNER, fill(tid=tid))))

        with pytest.raises(UserError, match="declaration of hyperliquid has changed since its fil"):
            bring(path, file, venue, changed, About())

    assert path.read_bytes() == before
    said = tuple(replace(policy, source="another") for policy in now.policies)
    assert bring(path, file, venue, replace(now, policies=said), About()).rows["fees"] == 1
    assert set(rows(path, "policies", "source")) == {("another",)}


def test_files_that_nobody_says_how_they_were_read_are_not_added_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An older perpscope did not say by which declaration; it may have been another."""
    path = brought(tmp_path, "hyperliquid", written(tmp_path, "a.jsonl", by_line(GOOD)))
    with duckdb.connect(path) as con:
        con.execute("alter table imports drop column declaration_digest")
        con.execute("update schema_version set version = 7")
    later = written(tmp_path, "b.jsonl", by_line((WINNER, fill(tid=10))))

    code, said = stopped(capsys, tmp_path, "hyperliquid", later)

    assert code == 2
    assert "or an older perpscope imported them and did not say by which one" in said
    assert rows(path, "imports", "file", "declaration_digest") == [("a.jsonl", None)]


def test_a_file_is_not_imported_as_anothers_as_well(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who named the wrong account hears of it; without entries, a file is anybody's."""
    full = written(tmp_path, "full.json", document([fill()]))
    none = written(tmp_path, "none.json", document([]))
    path = brought(tmp_path, "hyperliquid", full, none, account=LOSER)

    code, said = stopped(capsys, tmp_path, "hyperliquid", full, "--account", WINNER)
    brought(tmp_path, "hyperliquid", none, account=WINNER)
    brought(tmp_path, "hyperliquid", full, account=LOSER.upper().replace("0X", "0x"))

    assert (code, f"imported before as of {LOSER}: expected the same" in said) == (2, True)
    assert rows(path, "position_changes", "account") == [(LOSER,)]


def test_a_venue_and_a_file_must_be_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unknown venue, and a path where no file is: exit 2, and what was expected."""
    file = written(tmp_path, "a.jsonl", by_block([GOOD]))

    assert stopped(capsys, tmp_path, "binance", file)[0] == 2
    code, said = stopped(capsys, tmp_path, "hyperliquid", tmp_path / "none.lz4")
    assert (code, "is no file" in said) == (2, True)


def test_lines_that_are_no_fills_are_counted(tmp_path: Path) -> None:
    """A line of JSON that is another thing is an entry that cannot be used."""
    content = by_line(GOOD) + b'{"a": 1}\n' + json.dumps([1, 2]).encode() + b"\n"
    path = brought(tmp_path, "hyperliquid", written(tmp_path, "a.jsonl", content))

    assert rows(path, "imports", "entries_read", "entries_used", "rejects") == [(3, 1, 2)]
    assert [row[2] for row in rows(path, *REASON)] == ["a.jsonl, line 2", "a.jsonl, line 3"]


def test_lines_that_are_no_blocks_are_counted(tmp_path: Path) -> None:
    """One without fills that can be told apart is an entry; one with nothing in it is none."""
    content = by_block([GOOD]) + b'\n{"events": 7}\n[]\n'
    path = brought(tmp_path, "hyperliquid", written(tmp_path, "a.jsonl", content))

    assert rows(path, "imports", "entries_read", "entries_used", "rejects") == [(3, 1, 2)]
    reason = "the line is no block of fills"
    assert [row[1:3] for row in rows(path, *REASON)] == [
        (reason, "a.jsonl, line 3"),
        (reason, "a.jsonl, line 4"),
    ]


def test_what_landed_before_a_bad_file_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files land one by one: the first is in, the second is not, and is the one that is named."""
    good = written(tmp_path, "good.jsonl", by_block([GOOD]))
    bad = tmp_path / "bad.lz4"
    bad.write_bytes(lz4.frame.compress(by_block([(VAULT, fill())]))[:-9])

    code = perpscope("import", "hyperliquid", good, bad, "--database", tmp_path / "a.duckdb")

    assert code == 1
    assert "bad.lz4" in capsys.readouterr().err
    assert rows(tmp_path / "a.duckdb", "imports", "file") == [("good.jsonl",)]


def test_a_broken_archive_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that changed within an archive are noticed by its own checksum."""
    content = bytearray(gzip.compress(by_block([GOOD])))
    content[-6] ^= 0xFF
    file = tmp_path / "a.gz"
    file.write_bytes(content)

    assert stopped(capsys, tmp_path, "hyperliquid", file)[0] == 1


@pytest.mark.parametrize("slug", ["hyperliquid", "dydx"])
def test_the_sides_of_a_trade_keep_apart(slug: str) -> None:
    """Of a side no table has more than two rows: the other side's and the next trade's follow."""
    places = Counter((entry.chain, entry.name, entry.into) for entry in PROTOCOLS[slug].entries)

    assert places
    assert max(places.values()) <= 2
