"""Proof on the way in, verification of what is stored, repair: nothing missing goes unnoticed."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from shutil import copy
from typing import Any

import duckdb
import polars as pl
import pytest
from handmade import opened
from proof_rig import (
    Lie,
    changed_data,
    forged,
    lying,
    true_blocks,
    with_birth,
    without_block,
    without_log,
)
from sync_rig import (
    BIRTH,
    FEED,
    FIRST,
    LATE_POOL,
    POOLS,
    blocks,
    contents,
    job,
    rows,
    run,
    served,
)

from indexer.chains import ETHEREUM
from indexer.errors import NodeAnswerWrong, NodeUnavailable, RangeTooLarge
from indexer.proof import quirks
from indexer.rpc import Endpoint
from indexer.simulation import blocks as simulated
from indexer.simulation.blocks import Block
from indexer.simulation.node import serve
from indexer.simulation.served import REPLAY_CLIENT
from indexer.store import read_failures, record, repairs
from indexer.store.connection import select
from indexer.store.proofs import digest_of, read_blocks
from indexer.store.reading import stored_in
from indexer.sync import Inspection, Repaired, Verdict, index, repair, verify
from indexer.tables import empty, now

COUNT = 200
QUIET = FIRST + 20  # a block with one log, far below the head
BUSY = BIRTH + 5  # a block with logs of both protocols
ONE_LOG = tuple(QUIET + 3 * place for place in range(6))  # blocks like QUIET
THREE_LOGS = (BUSY, BUSY + 15)  # blocks like BUSY
BOTH = (FEED, POOLS)
LEDGERS = ("audits", "orphans")
LOGGED = "select distinct block_number from logs order by block_number"


@pytest.fixture(scope="module")
def chain() -> list[Block]:
    """Return the chain of this file."""
    return true_blocks(COUNT)


@pytest.fixture(scope="module")
def url(chain: list[Block]) -> Iterator[str]:
    """Serve the chain, honestly."""
    with serve([served(chain)]) as node:
        yield node.url


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, url: str) -> dict[str, Path]:
    """Return databases of the honest chain, by how far they are proven; never to be changed."""
    folder = tmp_path_factory.mktemp("made")
    for proof in ("fetched", "bloom", "receipts"):
        run(job(folder / proof, proof=proof), url)
    return {path.name: path for path in folder.iterdir()}


@pytest.fixture(scope="module")
def condemned(
    tmp_path_factory: pytest.TempPathFactory, chain: list[Block], url: str
) -> tuple[Path, Verdict]:
    """Return a database with a changed word that a look has found, and what the look said."""
    path = tmp_path_factory.mktemp("condemned") / "a.duckdb"
    with lying(chain, {"eth_getLogs": changed_data(QUIET)}) as node:
        run(job(path), node)
    return path, checked(path, "receipts", url)


def copied(made: Path, folder: Path) -> Path:
    """Return a copy of a database that may be changed."""
    return Path(copy(made, folder / "a.duckdb"))


def endpoint(url: str) -> Endpoint:
    """Return an endpoint that fails fast."""
    return Endpoint(url, tries=2, first_wait_seconds=0.01, timeout_seconds=10)


def checked(path: Path, level: str, *urls: str, **settings: int) -> Verdict:
    """Verify both protocols."""
    wanted = Inspection(job(path).ledger(), BOTH, level, now(), **settings)
    return verify(wanted, [endpoint(url) for url in urls], lambda _done, _total: None)


def mended(path: Path, *urls: str) -> Repaired:
    """Repair both protocols."""
    return repair(job(path).ledger(), BOTH, [endpoint(url) for url in urls])


def different(left: Path, right: Path) -> set[str]:
    """Return the tables that differ, but for the ledgers of what was checked and replaced."""
    before, after = contents(left), contents(right)
    return {name for name in before if before[name] != after[name]} - {*LEDGERS}


def proofs(path: Path) -> list[tuple[object, ...]]:
    """Return the feed's coverage with its proof, in order."""
    query = "select from_block, to_block, proof from coverage where protocol = 'feed' order by 1"
    return rows(path, query)


def failed(found: Verdict | Repaired) -> list[tuple[str, int, int]]:
    """Return what failed, without the sentences."""
    return [failure[:3] for failure in found.failures]


def check_coverage(path: Path, chain: Sequence[Block]) -> None:
    """Check that each row has the digest of the logs in it, and the hash of its last block."""
    hashes = {block.number: block.hash for block in chain}
    with opened(path) as connection:
        owned = job(path).ledger().owned(stored_in(connection, ETHEREUM.chain_id))
        for row in select(connection, "coverage", "true", []).iter_rows(named=True):
            stored = digest_of(connection, row, row["from_block"], row["to_block"], owned)
            assert row["logs_digest"] == stored
            assert row["to_block_hash"] == hashes[row["to_block"]]


# Proof on the way in.


@pytest.mark.parametrize("proof", ["bloom", "receipts"])
def test_a_clean_chain_is_proven(proof: str, made: dict[str, Path]) -> None:
    """Every block ends proven, and every table but coverage is as without proof."""
    assert rows(made[proof], "select distinct proof, waiver from coverage") == [(proof, None)]
    assert different(made["fetched"], made[proof]) == {"coverage"}


@pytest.mark.parametrize(
    ("proof", "lie"),
    [
        ("fetched", without_log(BUSY)),
        ("bloom", without_log(QUIET)),
        ("bloom", without_block(BIRTH)),
        ("receipts", without_log(BUSY)),
        ("receipts", changed_data(QUIET)),
    ],
)
def test_a_lie_is_refused(proof: str, lie: Lie, tmp_path: Path, chain: Sequence[Block]) -> None:
    """A node that hides or changes logs is told so; the blocks with the lie are not covered."""
    path = tmp_path / "a.duckdb"

    with (
        lying(chain, {"eth_getLogs": lie}) as node,
        pytest.raises(NodeAnswerWrong, match="not those of its receipts"),
    ):
        run(job(path, proof=proof, max_span=60), node)

    assert rows(path, f"select max(to_block) < {BUSY} from coverage") in ([(True,)], [(None,)])


def test_the_next_endpoint_is_asked(
    tmp_path: Path, chain: Sequence[Block], url: str, made: dict[str, Path]
) -> None:
    """Beside an honest endpoint a lying one does no harm: the result is that of the honest one."""
    path = tmp_path / "a.duckdb"

    with lying(chain, {"eth_getLogs": without_log(BUSY)}) as node:
        endpoints = [endpoint(node), endpoint(url)]
        index(job(path, proof="receipts"), endpoints, lambda _done, _total, _logs: None)

    assert different(made["receipts"], path) == set()


@pytest.mark.parametrize("name", ["logsBloom", "timestamp", "receiptsRoot"])
def test_a_forged_header_is_refused(name: str, tmp_path: Path, chain: Sequence[Block]) -> None:
    """A header whose fields do not give its hash is not believed."""
    lie = forged(name, QUIET)
    with (
        lying(chain, {"eth_getBlockByNumber": lie}) as node,
        pytest.raises(NodeAnswerWrong, match=r"whose fields do not give its hash"),
    ):
        run(job(tmp_path / "a.duckdb", proof="bloom"), node)


def untried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let it be unknown what the chain's headers hash, as of chains nobody recorded."""
    (quirk,) = (quirk for quirk in quirks.QUIRKS if quirk.name == "untried")
    monkeypatch.setattr(quirks, "QUIRKS", (replace(quirk, chains=(ETHEREUM,), reason="untried"),))


def without(name: str) -> Lie:
    """Return the lie that headers do not tell a field."""
    return lambda header: {key: value for key, value in header.items() if key != name}


def test_a_header_that_is_not_whole_is_refused(tmp_path: Path, chain: Sequence[Block]) -> None:
    """What it lacks is named."""
    with (
        lying(chain, {"eth_getBlockByNumber": without("receiptsRoot")}) as node,
        pytest.raises(NodeAnswerWrong, match=r"is not whole .*`receiptsRoot`"),
    ):
        run(job(tmp_path / "a.duckdb", proof="bloom"), node)


def test_without_blooms_there_is_no_proof(
    tmp_path: Path, chain: Sequence[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where headers need not be whole, because nobody can recompute them."""
    untried(monkeypatch)
    with (
        lying(chain, {"eth_getBlockByNumber": without("logsBloom")}) as node,
        pytest.raises(NodeAnswerWrong, match=rf"no logs bloom of block {FIRST}: .*without --proof"),
    ):
        run(job(tmp_path / "a.duckdb", proof="bloom"), node)


@pytest.mark.parametrize("is_untried", [False, True])
@pytest.mark.parametrize("proof", ["bloom", "receipts"])
def test_blooms_that_lack_logs_prove_nothing(
    proof: str, *, is_untried: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain whose receipts hold what its blooms have not is waived, with all the reasons."""
    reasons = ["blooms of this chain lack logs that its receipts hold"]
    if is_untried:
        untried(monkeypatch)
        reasons.insert(0, "untried")
    committed, no_bloom = simulated._commitments, {"logsBloom": f"0x{0:0512x}"}
    monkeypatch.setattr(simulated, "_commitments", lambda done: committed(done) | no_bloom)

    with serve([served(true_blocks(30))]) as node:
        run(job(tmp_path / "a.duckdb", proof=proof), node.url)

    told = rows(tmp_path / "a.duckdb", "select distinct proof, waiver from coverage")
    assert told == [("waived", "; ".join(reasons))]


def test_a_node_without_receipts_is_believed_where_no_proof_is_asked_for(
    tmp_path: Path, chain: Sequence[Block], caplog: pytest.LogCaptureFixture
) -> None:
    """Blooms that hint at logs it left out are told of; they may be there by chance."""
    path, late = tmp_path / "a.duckdb", FIRST + COUNT - 10
    lies = {"eth_getBlockReceipts": None, "eth_getTransactionReceipt": None}
    with lying(chain, {**lies, "eth_getLogs": without_block(late)}) as node:
        run(job(path), node)

    assert "blooms of 1 blocks hint at logs it left out" in caplog.text
    assert rows(path, "select distinct proof from coverage") == [("fetched",)]


def test_receipts_one_by_one(tmp_path: Path, chain: Sequence[Block]) -> None:
    """A node without eth_getBlockReceipts is asked for each transaction's receipt."""
    path = tmp_path / "a.duckdb"

    with lying(chain, {"eth_getBlockReceipts": None}) as node:
        run(job(path, proof="receipts"), node)

    assert rows(path, "select distinct proof from coverage") == [("receipts",)]


def test_a_node_without_receipts_cannot_prove(tmp_path: Path, chain: Sequence[Block]) -> None:
    """Proof that was asked for and cannot be had is an error, not a lower level."""
    lies = {"eth_getBlockReceipts": None, "eth_getTransactionReceipt": None}
    with lying(chain, lies) as node, pytest.raises(NodeUnavailable, match="does not exist"):
        run(job(tmp_path / "a.duckdb", proof="receipts"), node)


def test_recorded_blocks_are_waived(tmp_path: Path, chain: Sequence[Block]) -> None:
    """A replayed chain has no headers to prove anything by, and says so; nothing is noted."""
    path = tmp_path / "a.duckdb"
    with serve([served(chain, client_version=REPLAY_CLIENT)]) as node:
        run(job(path, proof="bloom"), node.url)
        found = checked(path, "bloom", node.url)

    told = rows(path, "select distinct proof, waiver like 'recorded%' from coverage")
    assert told == [("waived", True)]
    assert found.failures == []
    assert found.proven == {"waived": 2 * COUNT}
    assert rows(path, "from audits") == []


def test_recorded_blocks_are_asked_for_as_without_proof(
    tmp_path: Path, chain: Sequence[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can be checked of them, so ranges are not cut to what is checked at a time."""
    monkeypatch.setattr("indexer.sync.proving.PROVEN_BLOCKS", 10)
    asked = []
    for level in ("fetched", "receipts"):
        with serve([served(chain, client_version=REPLAY_CLIENT)]) as node:
            asked.append(run(job(tmp_path / f"{level}.duckdb", proof=level), node.url).requests)

    assert asked[0] == asked[1]


def test_recorded_blocks_are_not_counted_one_by_one(
    tmp_path: Path, chain: Sequence[Block], made: dict[str, Path]
) -> None:
    """Half a milliard of them, which chains have, are waived in a few steps."""
    path, steps = copied(made["fetched"], tmp_path), list[int]()
    with duckdb.connect(path) as connection:
        last = "to_block = (select max(to_block) from coverage)"
        connection.execute(f"update coverage set to_block = {FIRST + 499_999_999} where {last}")
    wanted = Inspection(job(path).ledger(), BOTH, "receipts", now())

    with serve([served(chain, client_version=REPLAY_CLIENT)]) as node:
        found = verify(wanted, [endpoint(node.url)], lambda done, _total: steps.append(done))

    assert (len(steps) < COUNT, steps[-1]) == (True, 500_000_000)
    assert found.proven == {"waived": 1_000_000_000}


def test_a_replay_heals_nothing(
    tmp_path: Path, chain: Sequence[Block], condemned: tuple[Path, Verdict]
) -> None:
    """Who looks at nothing clears nothing that was found wrong."""
    path, found = copied(condemned[0], tmp_path), condemned[1]

    with serve([served(chain, client_version=REPLAY_CLIENT)]) as node:
        checked(path, "receipts", node.url)

    left = read_failures(path, ETHEREUM.chain_id)
    assert left.select("protocol", "from_block", "to_block").rows() == failed(found)


# Verification.


@pytest.mark.parametrize("level", ["bloom", "receipts"])
def test_verify_raises_a_clean_database(
    level: str, tmp_path: Path, url: str, made: dict[str, Path]
) -> None:
    """What was fetched and then verified is as if it had been proven on the way in."""
    path = copied(made["fetched"], tmp_path)

    found = checked(path, level, url)

    assert (found.failures, found.proven) == ([], {level: 2 * COUNT})
    assert different(path, made[level]) == set()
    assert rows(path, "select distinct from_block, to_block, level, verdict from audits") == [
        (FIRST, FIRST + COUNT - 1, level, "passed")
    ]


def test_linked_raises_nothing(tmp_path: Path, url: str, made: dict[str, Path]) -> None:
    """Headers that link say nothing about logs."""
    path = copied(made["fetched"], tmp_path)

    assert checked(path, "linked", url).failures == []
    assert {proof for _, _, proof in proofs(path)} == {"fetched"}


def test_verify_never_lowers_a_proof(tmp_path: Path, url: str, made: dict[str, Path]) -> None:
    """A less thorough look leaves what is better proven as it is."""
    path = copied(made["receipts"], tmp_path)

    checked(path, "bloom", url)

    assert {proof for _, _, proof in proofs(path)} == {"receipts"}


def test_verify_raises_exactly_what_it_looked_at(
    tmp_path: Path, chain: Sequence[Block], url: str, made: dict[str, Path]
) -> None:
    """`--from` and `--to` split coverage there; later looks join it again."""
    path = copied(made["fetched"], tmp_path)

    checked(path, "bloom", url, from_block=FIRST + 40, to_block=FIRST + 59)

    check_coverage(path, chain)

    assert proofs(path)[:3] == [
        (FIRST, FIRST + 39, "fetched"),
        (FIRST + 40, FIRST + 59, "bloom"),
        (FIRST + 60, FIRST + 135, "fetched"),
    ]
    checked(path, "bloom", url)
    assert different(path, made["bloom"]) == set()


def test_what_was_seen_is_still_there_while_nothing_of_it_changes(
    tmp_path: Path, made: dict[str, Path]
) -> None:
    """Logs, times, births by then and owners count; what is born later does not."""
    path = copied(made["fetched"], tmp_path)
    seen = read_blocks(path, ETHEREUM.chain_id, [QUIET, BUSY])
    born = pl.col("from_block")

    assert (seen.contracts["from_block"] <= BUSY).to_list() == [True, False]
    assert seen.is_still(seen)
    for now_seen, is_still in (
        (replace(seen, logs=seen.logs[1:]), False),
        (replace(seen, blocks=seen.blocks[1:]), False),
        (replace(seen, contracts=seen.contracts.filter(born > BUSY)), False),
        (replace(seen, contracts=seen.contracts.filter(born <= BUSY)), True),
        (replace(seen, protocols=frozenset({"feed"})), False),
    ):
        assert seen.is_still(now_seen) == is_still
    given = (ETHEREUM.chain_id, empty("audits"), (), job(path).ledger().owned)
    assert not record(path, *given, seen=replace(seen, logs=seen.logs[1:]))


def test_a_sample_raises_nothing(tmp_path: Path, url: str, made: dict[str, Path]) -> None:
    """A sample is audited block by block; no coverage is called proven for it."""
    path = copied(made["fetched"], tmp_path)

    found = checked(path, "receipts", url, sample=9)

    assert found.blocks == 9
    assert {proof for _, _, proof in proofs(path)} == {"fetched"}
    assert rows(path, "select sum(to_block - from_block + 1)::int from audits") == [(18,)]


TAMPERED = {
    "one log removed": (BUSY, "delete from logs where block_number = {block} and log_index = 0"),
    "a block emptied": (ONE_LOG[0], "delete from logs where block_number = {block}"),
    "one log added": (
        ONE_LOG[1],
        "insert into logs select * replace (9 as log_index) from logs where block_number = {block}",
    ),
    "one word changed": (
        ONE_LOG[2],
        "update logs set data = '\\x01'::blob where block_number = {block}",
    ),
    "two logs swapped": (
        THREE_LOGS[1],
        "update logs set log_index = 3 - log_index where block_number = {block} "
        "and log_index in (1, 2)",
    ),
    "a wrong hash": (
        ONE_LOG[3],
        "update blocks set hash = '\\x01'::blob where number = {block}",
    ),
    "one log twice": (
        ONE_LOG[4],
        "insert into logs select * from logs where block_number = {block}",
    ),
    "another time": (
        ONE_LOG[5],
        "update blocks set timestamp = timestamp + interval 1 second where number = {block}",
    ),
}


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(tuple(TAMPERED), id="all at once"),
        *(pytest.param((name,), marks=pytest.mark.soak, id=name) for name in TAMPERED),
    ],
)
def test_what_is_wrong_is_found_and_mended(
    names: tuple[str, ...], tmp_path: Path, url: str, made: dict[str, Path]
) -> None:
    """Verify names the blocks, raises all others, and repair leaves tables as on a clean run."""
    path = copied(made["fetched"], tmp_path)
    with duckdb.connect(path) as connection:
        for block, change in map(TAMPERED.__getitem__, names):
            connection.execute(change.format(block=block))

    found = checked(path, "receipts", url)

    assert {(low, high) for _, low, high in failed(found)} == {
        (TAMPERED[name][0], TAMPERED[name][0]) for name in names
    }
    left = "select coalesce(max(to_block - from_block), 0) from coverage where proof = 'fetched'"
    assert rows(path, left) == [(0,)]
    assert mended(path, url).failures == []
    assert different(path, made["receipts"]) == set()
    assert checked(path, "receipts", url).failures == []


def test_a_repair_of_many_blocks_counts_the_rest_once(
    tmp_path: Path, url: str, made: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks all over a row of coverage: it is counted through, once; digests are true."""
    path, counted = copied(made["receipts"], tmp_path), []
    numbers = [number for (number,) in rows(path, LOGGED)][::3]

    def seen(*given: Any) -> str:
        """Count, and remember how many blocks that were."""
        counted.append(max(0, given[3] - given[2] + 1))
        return digest_of(*given)

    monkeypatch.setattr(repairs, "digest_of", seen)
    with duckdb.connect(path) as connection:
        connection.execute(f"delete from logs where block_number in {tuple(numbers)}")
    assert len(failed(checked(path, "receipts", url))) >= len(numbers) > 20

    assert mended(path, url).failures == []

    assert different(path, made["receipts"]) == set()
    # Once for each group of protocols that are wrong in the same blocks, and what is in them.
    assert sum(counted) <= 5 * COUNT


def test_a_repair_of_the_end_of_a_row_counts_nothing_of_the_next(
    tmp_path: Path, chain: Sequence[Block], url: str
) -> None:
    """Two rows that touch, the last block of one and one in the other: all digests are true."""
    path, last = tmp_path / "a.duckdb", FIRST + 99
    run(job(path, proof="receipts", to_block=last), url)
    run(job(path), url)
    with duckdb.connect(path) as connection:
        for number in (last, QUIET + 100):
            connection.execute(
                "insert into audits values (1, 'feed', ?, ?, 'receipts', 'failed', 'odd', now())",
                [number, number],
            )

    assert mended(path, url).failures == []

    check_coverage(path, chain)


@pytest.mark.parametrize(
    "lie",
    [
        without_block(BIRTH),
        # Stored words and logs that are wrong in one block are tampered with above.
        *(
            pytest.param(lie, marks=pytest.mark.soak)
            for lie in (without_log(QUIET), changed_data(QUIET))
        ),
    ],
)
def test_a_stored_lie_is_found_and_mended(
    lie: Lie, tmp_path: Path, chain: Sequence[Block], url: str, made: dict[str, Path]
) -> None:
    """What a bad node left, children born in hidden logs too, ends as on a clean run."""
    path = tmp_path / "a.duckdb"
    with lying(chain, {"eth_getLogs": lie}) as node:
        run(job(path), node)
        found = checked(path, "receipts", url)
        assert len(found.failures) == 1

        done = mended(path, node, url)

    assert (done.failures, done.blocks) == ([], 1)
    assert checked(path, "receipts", url).failures == []
    assert different(path, made["receipts"]) == set()


def test_a_birth_that_never_was_is_undone(
    tmp_path: Path, chain: Sequence[Block], url: str, made: dict[str, Path]
) -> None:
    """A pool announced by a made-up log loses what it brought, and is born where it was."""
    path = tmp_path / "a.duckdb"
    with lying(chain, {"eth_getLogs": with_birth(LATE_POOL)}) as node:
        run(job(path), node)
    births = f"select from_block from contracts where address = '0x{LATE_POOL.hex()}'"
    assert rows(path, births) == [(BIRTH,)]
    assert failed(checked(path, "receipts", url)) == [("pools", BIRTH, BIRTH)]

    assert mended(path, url).failures == []

    assert rows(path, births) == [(BIRTH + 60,)]
    assert checked(path, "receipts", url).failures == []
    assert different(path, made["receipts"]) == set()


def test_what_blooms_found_is_as_proven_as_what_is_beside_it(
    tmp_path: Path, url: str, made: dict[str, Path]
) -> None:
    """Receipts mend a block, and its row goes on saying bloom."""
    path = copied(made["fetched"], tmp_path)
    with duckdb.connect(path) as connection:
        connection.execute(f"delete from logs where block_number = {QUIET}")
    assert failed(checked(path, "bloom", url)) == [("feed", QUIET, QUIET)]

    assert mended(path, url).failures == []

    assert different(path, made["bloom"]) == set()


def test_what_was_waived_and_is_mended_is_proven(
    tmp_path: Path, chain: Sequence[Block], url: str
) -> None:
    """Blocks of a replay that a real node contradicts: no row is waived without a reason."""
    path = tmp_path / "a.duckdb"
    with serve([served(chain, client_version=REPLAY_CLIENT)]) as node:
        run(job(path, proof="receipts"), node.url)
    with duckdb.connect(path) as connection:
        connection.execute(f"update blocks set hash = '\\x01'::blob where number = {QUIET}")
    assert len(checked(path, "linked", url).failures) == 2

    assert mended(path, url).failures == []

    told = "select distinct from_block, proof from coverage where waiver is null"
    assert rows(path, told) == [(QUIET, "receipts")]


def test_a_repair_takes_as_many_blocks_as_the_node_gives(
    tmp_path: Path, chain: Sequence[Block], made: dict[str, Path]
) -> None:
    """Each part is put in place before the next is asked for; a block too large ends it there."""
    path, low = copied(made["receipts"], tmp_path), BUSY - 4
    with duckdb.connect(path) as connection:
        for slug in ("feed", "pools"):
            connection.execute(
                "insert into audits values (1, ?, ?, ?, 'receipts', 'failed', 'odd', now())",
                [slug, low, BUSY + 5],
            )
    with (
        serve([served(chain, max_logs=2)]) as node,
        pytest.raises(RangeTooLarge, match=f"blocks {BUSY} to {BUSY} at once"),
    ):
        mended(path, node.url)
    left = read_failures(path, ETHEREUM.chain_id)
    assert left.select("from_block", "to_block").unique().rows() == [(BUSY, BUSY + 5)]

    with serve([served(chain, max_block_span=3)]) as node:
        assert mended(path, node.url).blocks == 6
    assert different(path, made["receipts"]) == set()


def test_superseded_logs_are_kept(
    tmp_path: Path, url: str, condemned: tuple[Path, Verdict]
) -> None:
    """The wrong log moves to orphans with the reason; it is never simply deleted."""
    path = copied(condemned[0], tmp_path)
    before = rows(path, f"select data from logs where block_number = {QUIET}")

    assert mended(path, url).orphans == 1

    assert rows(path, "select data, reason from orphans") == [(*before[0], "repaired")]
    assert rows(path, f"select data from logs where block_number = {QUIET}") != before


def test_what_cannot_be_mended_stays(
    tmp_path: Path, chain: Sequence[Block], condemned: tuple[Path, Verdict]
) -> None:
    """Where the only endpoint lies, nothing is replaced and the block is named."""
    path = copied(condemned[0], tmp_path)
    before = contents(path)
    with lying(chain, {"eth_getLogs": changed_data(QUIET)}) as node:
        done = mended(path, node)

    assert failed(done) == [("feed", QUIET, QUIET)]
    assert contents(path) == before


def test_a_less_thorough_look_heals_nothing(
    tmp_path: Path, url: str, condemned: tuple[Path, Verdict]
) -> None:
    """A changed word is not seen by blooms, so a pass at that level leaves it to be repaired."""
    path = copied(condemned[0], tmp_path)
    assert failed(condemned[1]) == [("feed", QUIET, QUIET)]

    assert checked(path, "bloom", url).failures == []

    assert mended(path, url).blocks == 1


def test_a_clock_that_was_set_back_hides_no_fault(
    tmp_path: Path, url: str, made: dict[str, Path]
) -> None:
    """A pass that a wrong clock dated later than the fault does not heal it; a repair does."""
    path = copied(made["fetched"], tmp_path)
    checked(path, "receipts", url)
    with duckdb.connect(path) as connection:
        connection.execute("update audits set audited_at = audited_at + interval 1 day")
        connection.execute(f"delete from logs where block_number = {QUIET}")

    assert failed(checked(path, "receipts", url)) == [("feed", QUIET, QUIET)]

    assert mended(path, url).blocks == 1
    assert read_failures(path, ETHEREUM.chain_id).is_empty()


def test_a_reader_that_lies_does_not_condemn(
    tmp_path: Path, chain: Sequence[Block], url: str, made: dict[str, Path]
) -> None:
    """A forging node in front of an honest one costs a try, and no failed audit."""
    path = copied(made["fetched"], tmp_path)

    with lying(chain, {"eth_getBlockByNumber": forged("timestamp", QUIET)}) as node:
        found = checked(path, "bloom", node, url)

    assert found.failures == []


def test_a_lie_about_headers_condemns_until_a_better_look(
    tmp_path: Path, chain: Sequence[Block], url: str, made: dict[str, Path]
) -> None:
    """Where every endpoint forges, the blocks looked at with it are not called right."""
    path = copied(made["fetched"], tmp_path)
    with lying(chain, {"eth_getBlockByNumber": forged("timestamp", QUIET)}) as node:
        found = checked(path, "bloom", node)

    last = proofs(path)[0][1]
    assert failed(found) == [("feed", FIRST, last), ("pools", FIRST, last)]
    assert all("fields do not give its hash" in why for *_, why in found.failures)
    assert proofs(path)[0] == (FIRST, last, "fetched")

    assert checked(path, "bloom", url).failures == []
    assert read_failures(path, ETHEREUM.chain_id).is_empty()


def test_another_chain_below_finality_is_no_reorg(tmp_path: Path, made: dict[str, Path]) -> None:
    """Final blocks that the node has not are wrong, not left to `index`, which would stop there."""
    path = copied(made["fetched"], tmp_path)
    with serve([served(blocks(COUNT, fork=b"fork"))]) as node:
        found = checked(path, "linked", node.url)

    assert (found.left, found.blocks) == ([], COUNT)
    assert {slug for slug, *_ in found.failures} == {"feed", "pools"}
