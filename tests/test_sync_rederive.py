"""Facts again from stored logs, and two writers at once."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from commands import perpscope
from sync_rig import (
    DECLARATIONS,
    FEED,
    FIRST,
    POOL,
    POOLS,
    blocks,
    contents,
    indexed,
    job,
    rows,
    run,
    served,
)

from indexer.chains import ETHEREUM
from indexer.errors import UserError
from indexer.simulation.node import serve
from indexer.spec import Const, Token
from indexer.sync import Ledger, redecode, rederived, restate, take_back

COUNT = 200
EVENT = FEED.events[0]
NAMED = replace(
    FEED, events=(replace(EVENT, columns={**EVENT.columns, "provider": Const("someone")}),)
)
CHANGED = DECLARATIONS | {"feed": NAMED}


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the database of one run under the changed reading; never to be changed."""
    path = tmp_path_factory.mktemp("changed") / "a.duckdb"
    with serve([served(blocks(COUNT))]) as node:
        run(job(path, protocols=(NAMED, POOLS), declarations=CHANGED), node.url)
    return path


def test_what_only_compares_needs_no_right_to_write(tmp_path: Path) -> None:
    """A file of an older perpscope that somebody reads all the time: it is compared as it is."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    with duckdb.connect(path) as con:
        con.execute("drop table upgrades; alter table pool_states drop column holds_pools")
        con.execute("update schema_version set version = 6")
    before, ledger = path.read_bytes(), Ledger(path, ETHEREUM, CHANGED)
    reads = f"import duckdb; held = duckdb.connect({str(path)!r}, read_only=True)"
    words = [sys.executable, "-c", f"{reads}; print(flush=True); input()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reader:
        assert reader.stdout
        assert reader.stdout.readline()
        found, days = rederived(ledger, [NAMED, POOLS]), restate(ledger, [NAMED], keep=False)
        reader.communicate(b"enough\n")

    answers = rows(path, "select count(*) from oracle_updates")[0][0]
    assert found == {"oracle_updates": (answers, answers)}
    assert days.is_empty()
    assert path.read_bytes() == before


def test_redecode_ends_like_a_fresh_index(tmp_path: Path, changed: Path) -> None:
    """Under a changed reading the database becomes what indexing anew would give."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)

    written = redecode(Ledger(path, ETHEREUM, CHANGED), [NAMED])

    assert contents(path) == contents(changed)
    assert written["oracle_updates"] == rows(path, "select count(*) from oracle_updates")[0][0]


def test_rows_that_do_not_follow_from_logs_are_counted(tmp_path: Path) -> None:
    """Another price, a row twice, one less, a policy: each is told, and nothing is written."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    ledger, chosen = Ledger(path, ETHEREUM, DECLARATIONS), [FEED, POOLS]
    assert rederived(ledger, chosen) == {}
    with duckdb.connect(path) as con:
        one = "rowid = (select min(rowid) from {})".format
        con.execute(
            f"update oracle_updates set oracle_price_quote = 1 where {one('oracle_updates')}"
        )
        con.execute(f"insert into oracle_updates from oracle_updates where {one('oracle_updates')}")
        con.execute(f"delete from pool_flows where {one('pool_flows')}")
        con.execute(
            "insert into policies values ('feed', 'x', 1, '2026-01-01', null, 'x', 'event')"
        )
    before = contents(path)

    found = rederived(ledger, chosen)

    assert found == {"oracle_updates": (2, 1), "pool_flows": (0, 1), "policies": (1, 0)}
    assert contents(path) == before
    redecode(ledger, chosen)
    assert rederived(ledger, chosen) == {}


def test_coverage_that_does_not_fit_the_logs_is_counted(tmp_path: Path) -> None:
    """A digest that is another's, and a row twice; no fact is derived twice for that."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    ledger, chosen = Ledger(path, ETHEREUM, DECLARATIONS), [FEED, POOLS]
    last = "rowid = (select max(rowid) from coverage where protocol = '{}')".format
    with duckdb.connect(path) as con:
        con.execute(f"insert into coverage from coverage where {last('feed')}")
    assert rederived(ledger, chosen) == {"coverage": (1, 0)}

    with duckdb.connect(path) as con:
        con.execute(f"update coverage set logs_digest = '{'7' * 64}' where {last('pools')}")

    assert rederived(ledger, chosen) == {"coverage": (2, 0)}


def test_decimals_that_none_states_any_more_are_unknown_until_they_are_asked(
    tmp_path: Path,
) -> None:
    """A declaration that says nothing of a token is not read by what an older one said."""
    path, pool = tmp_path / "a.duckdb", "0x" + POOL.hex()
    stating = replace(POOLS, tokens=(Token(ETHEREUM, pool, "POOL", 2),))
    known = DECLARATIONS | {"pools": stating}
    with serve([served(blocks(COUNT))]) as node:
        run(job(path, declarations=known, protocols=(stating,)), node.url)
    flows = f"select count(*) from pool_flows where pool = '{pool}'"
    ((before,),) = rows(path, flows)

    redecode(Ledger(path, ETHEREUM, DECLARATIONS), [POOLS])

    assert rows(path, flows) == [(0,)]
    assert rows(path, f"from tokens where address = '{pool}'") == []
    assert rows(path, "select reason, count(*) from rejects group by all") == [
        (f"decimals of token {pool} are not known", before)
    ]


def test_what_was_stated_gives_way_to_what_is_asked(tmp_path: Path) -> None:
    """Another protocol's declaration stated a token once; who is asked now knows better."""
    path, pool = tmp_path / "a.duckdb", "0x" + POOL.hex()
    stating = replace(FEED, tokens=(Token(ETHEREUM, pool, "POOL", 2),))
    known = DECLARATIONS | {"feed": stating}
    with serve([served(blocks(COUNT))]) as node:
        run(job(path, declarations=known, protocols=(stating,)), node.url)
        run(job(path, protocols=(POOLS,)), node.url)

    told = f"select decimals, known_by from tokens where address = '{pool}'"
    assert rows(path, told) == [(6, "call")]


def test_redecode_refuses_what_was_never_fetched(tmp_path: Path) -> None:
    """A declaration that reads another contract cannot be derived from stored logs."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    before = contents(path)
    moved = replace(FEED.contracts[0], address="0x" + "12" * 20)
    wider = replace(FEED, contracts=(*FEED.contracts, moved))

    with pytest.raises(UserError, match="perpscope index --chain ethereum --protocol feed"):
        redecode(Ledger(path, ETHEREUM, DECLARATIONS | {"feed": wider}), [wider])

    assert contents(path) == before


def test_rewinding_one_protocol_leaves_the_other(tmp_path: Path) -> None:
    """Only the named protocol's rows go; indexing again restores them."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)
    before = contents(path)

    take_back(Ledger(path, ETHEREUM, DECLARATIONS), [POOLS], FIRST + 50)

    after = contents(path)
    assert after["oracle_updates"] == before["oracle_updates"]
    assert rows(path, "select count(*) from pool_flows") == [(0,)]
    assert rows(path, "select count(*) from contracts") == [(0,)]
    with serve([served(blocks(COUNT))]) as node:
        run(job(path), node.url)
    again = contents(path)
    assert {name for name in before if again[name] != before[name]} == {"orphans"}


def test_a_changed_declaration_is_rewound_whole(tmp_path: Path, changed: Path) -> None:
    """What was read under another declaration could not be added to, so none of it stays."""
    path = tmp_path / "a.duckdb"
    indexed(path, COUNT)

    done = take_back(Ledger(path, ETHEREUM, CHANGED), [NAMED], FIRST + 50)
    with serve([served(blocks(COUNT))]) as node:
        run(job(path, protocols=(NAMED, POOLS), declarations=CHANGED), node.url)

    assert done.covered == {"feed": None}
    mine, fresh = contents(path), contents(changed)
    assert {name for name in mine if mine[name] != fresh[name]} == {"orphans"}


def test_two_runs_at_once_end_like_one(tmp_path: Path) -> None:
    """Processes that index the same blocks into one file take turns and write nothing twice."""
    both, one = tmp_path / "both.duckdb", tmp_path / "one.duckdb"
    config = tmp_path / "small.toml"
    config.write_text("[chains.ethereum]\nmax_logs = 50\nmax_span = 40\n", encoding="utf-8")

    def words(path: Path, url: str) -> list[str]:
        return [
            *("index", "--chain", "ethereum", "--rpc", url),
            *("--protocol", "chainlink", "--protocol", "maple", "--from", str(FIRST)),
            *("--database", str(path), "--config", str(config)),
        ]

    with serve([served(blocks(COUNT))]) as node:
        assert perpscope(*words(one, node.url)) == 0
        command = [sys.executable, "-m", "perpscope", *words(both, node.url)]
        runs = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for _ in range(2)]
        codes = [process.wait(timeout=120) for process in runs]

    assert codes == [0, 0]
    assert contents(both) == contents(one)
