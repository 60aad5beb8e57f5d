"""What every endpoint tells: who tells otherwise is named, who cannot tell condemns nothing."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import copy

import duckdb
import pytest
from proof_rig import (
    Json,
    Lie,
    changed_data,
    forged,
    lying,
    true_blocks,
    with_birth,
    without_block,
    without_log,
)
from sync_rig import BIRTH, FIRST, LATE_POOL, blocks, contents, job, rows, run, served
from test_sync_proof import checked, different, failed, mended

from indexer.chains import ETHEREUM
from indexer.errors import NodeUnavailable, UserError, WorldError
from indexer.proof.quirks import QUIRKS, Part, Quirk
from indexer.rpc import Header, Node
from indexer.simulation.blocks import Block
from indexer.simulation.node import Answer, serve
from indexer.simulation.served import REPLAY_CLIENT
from indexer.store import read_failures
from indexer.sync.proving import RECORDED

COUNT = 200
LAST = FIRST + COUNT - 1
QUIET = FIRST + 20  # a block with one log of the feed, final
BUSY = BIRTH + 5  # a block with logs of both protocols, final
NEW = LAST - 6  # a block with one log of the feed, above finality
DOWN = "http://127.0.0.1:9"
AUDITS = "select distinct from_block, to_block, level, verdict, detail from audits"
QUIRK = Quirk("own", (ETHEREUM,), "headers hash fields of their own", "test", frozenset(Part))


def adding(number: int) -> Lie:
    """Return the lie that tells a block's first log a second time, as another one."""

    def lie(logs: Json) -> Json:
        first = next((log for log in logs if int(log["blockNumber"], 16) == number), None)
        return logs if first is None else [*logs, {**first, "logIndex": "0x63"}]

    return lie


def moving(number: int) -> Lie:
    """Return the lie that names another block with the number."""

    def lie(logs: Json) -> Json:
        for log in logs:
            if int(log["blockNumber"], 16) == number:
                log["blockHash"] = "0x" + "12" * 32
        return logs

    return lie


def strange(number: int) -> Lie:
    """Return the lie that puts logs of others, which were not asked for, into a block."""

    def lie(logs: Json) -> Json:
        for log in logs:
            if int(log["blockNumber"], 16) == number:
                log["address"] = "0x" + "11" * 20
        return logs

    return lie


def passing(lie: Lie, times: int = 1) -> Lie:
    """Return the lie that is told only the first times that it changes anything."""
    told: list[Json] = []

    def first(logs: Json) -> Json:
        changed = lie(json.loads(json.dumps(logs)))
        if len(told) == times or changed == logs:
            return logs
        told.append(changed)
        return changed

    return first


def refusing(message: str, below: int = 2**62) -> Callable[[str, bytes], Answer | None]:
    """Return a node that refuses logs of ranges that begin below a block."""

    def intercept(_path: str, body: bytes) -> Answer | None:
        calls = json.loads(body)
        batch = calls if isinstance(calls, list) else [calls]
        asked = [call["params"][0] for call in batch if call["method"] == "eth_getLogs"]
        refused = [query["fromBlock"] for query in asked if int(query["fromBlock"], 16) < below]
        if not refused:
            return None
        error = {"code": -32000, "message": f"{message} ({refused[0]})"}
        told = [{"jsonrpc": "2.0", "id": call["id"], "error": error} for call in batch]
        return Answer(200, json.dumps(told if isinstance(calls, list) else told[0]).encode())

    return intercept


@pytest.fixture(scope="module")
def chain() -> list[Block]:
    """Return the chain of this file."""
    return true_blocks(COUNT)


@pytest.fixture(scope="module")
def urls(chain: list[Block]) -> Iterator[tuple[str, str]]:
    """Serve the chain twice, honestly."""
    with serve([served(chain)]) as one, serve([served(chain)]) as other:
        yield one.url, other.url


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, urls: tuple[str, str]) -> Path:
    """Return a database of the honest chain; never to be changed."""
    path = tmp_path_factory.mktemp("made") / "a.duckdb"
    run(job(path), urls[0])
    return path


@pytest.fixture
def path(tmp_path: Path, made: Path) -> Path:
    """Return a copy of that database that may be changed."""
    return Path(copy(made, tmp_path / "a.duckdb"))


@pytest.fixture(params=[pytest.param("sealed", marks=pytest.mark.soak), "waived"])
def _headers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the chain's headers be what they are, or nothing that can be recomputed."""
    if request.param == "waived":
        monkeypatch.setattr("indexer.proof.quirks.QUIRKS", (*QUIRKS, QUIRK))


@pytest.fixture
def _waived(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing of the chain's headers be recomputed."""
    monkeypatch.setattr("indexer.proof.quirks.QUIRKS", (*QUIRKS, QUIRK))


@pytest.mark.usefixtures("_headers")
def test_a_clean_chain_is_agreed_on(path: Path, made: Path, urls: tuple[str, str]) -> None:
    """Every block passes, and no coverage is called proven for it."""
    found = checked(path, "agreed", *urls)

    assert (found.failures, found.left, found.silent) == ([], [], [])
    assert (found.proven, found.blocks, found.waivers) == ({"agreed": 2 * COUNT}, COUNT, set())
    assert different(path, made) == set()
    assert rows(path, AUDITS) == [(FIRST, LAST, "agreed", "passed", "")]


LIES = {
    "a log left out": (without_log(BUSY), "feed", BUSY, "1 log added"),
    "a block left out": (without_block(QUIET), "feed", QUIET, "1 log added"),
    "a word changed": (changed_data(QUIET), "feed", QUIET, "1 log changed"),
    "a log made up": (adding(QUIET), "feed", QUIET, "1 log left out"),
    "a birth made up": (with_birth(LATE_POOL), "pools", BIRTH, "1 log left out"),
    "another hash": (moving(QUIET), "feed", QUIET, "1 log changed"),
    "above finality": (changed_data(NEW), "feed", NEW, "1 log changed"),
    "another hash above finality": (moving(NEW), "feed", NEW, "1 log changed"),
}


@pytest.mark.usefixtures("_headers")
@pytest.mark.parametrize("name", LIES)
def test_who_tells_otherwise_is_named(
    name: str, path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """The block fails for the protocol whose log it is; others pass; nothing stored is changed."""
    lie, slug, block, fault = LIES[name]
    before = contents(path)
    with lying(chain, {"eth_getLogs": lie}) as node:
        found = checked(path, "agreed", urls[0], f"{node}ethereum?key=0123456789abcdef")

    said = f"compared with {node}..., {fault}"
    assert found.failures == [(slug, block, block, said)]
    assert (found.proven, found.left) == ({"agreed": 2 * COUNT - 1}, [])
    assert contents(path) | {"audits": ""} == before | {"audits": ""}
    left = read_failures(path, ETHEREUM.chain_id)
    assert left.rows() == [(slug, block, block, "agreed", said)]


@pytest.mark.usefixtures("_headers")
def test_who_tells_another_time_is_named(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """A day's number rests on the times of its blocks: they are compared as logs are."""
    with lying(chain, {"eth_getBlockByNumber": forged("timestamp", QUIET)}) as node:
        found = checked(path, "agreed", urls[0], node)

    assert [where[:3] for where in found.failures] == [
        (slug, QUIET, QUIET) for slug in ("feed", "pools")
    ]
    said = f"compared with {node.rstrip('/')}, stored as of "
    assert all(why.startswith(said) for *_, why in found.failures)
    assert (found.proven, found.left) == ({"agreed": 2 * COUNT - 2}, [])


def test_a_block_that_is_stored_as_another_is_found(path: Path, urls: tuple[str, str]) -> None:
    """Its logs are the same, but every endpoint tells another hash."""
    with duckdb.connect(path) as connection:
        connection.execute(f"update blocks set hash = 'x'::blob where number = {QUIET}")

    found = checked(path, "agreed", *urls)

    said = [why.count("stored as block 0x78, its header says 0x") for *_, why in found.failures]
    assert [where[:3] for where in found.failures] == [
        (slug, QUIET, QUIET) for slug in ("feed", "pools")
    ]
    assert said == [2, 2]


@pytest.mark.usefixtures("_waived")
def test_a_time_that_every_endpoint_disputes_is_repaired(
    path: Path, made: Path, urls: tuple[str, str]
) -> None:
    """The word of one endpoint that is named alone puts the true time back."""
    with duckdb.connect(path) as connection:
        connection.execute(
            f"update blocks set timestamp = timestamp + interval 1 day where number = {QUIET}"
        )
    assert len(checked(path, "agreed", *urls).failures) == 2

    mended(path, urls[0])

    assert different(path, made) == set()
    assert checked(path, "agreed", *urls).failures == []


def test_what_is_stored_may_be_what_is_wrong(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Every endpoint that tells otherwise is named, each with what it tells."""
    with duckdb.connect(path) as connection:
        connection.execute(f"delete from logs where block_number = {QUIET}")
    with lying(chain, {"eth_getLogs": changed_data(QUIET)}) as node:
        found = checked(path, "agreed", urls[0], node)

    said = "; ".join(f"compared with {url.rstrip('/')}, 1 log left out" for url in (urls[0], node))
    assert found.failures == [("feed", QUIET, QUIET, said)]


@pytest.mark.parametrize(
    "lie",
    [
        pytest.param(passing(without_block(NEW)), id="other logs once"),
        pytest.param(passing(strange(NEW), times=2), id="no answer at the first look"),
    ],
)
def test_a_change_of_mind_above_finality_is_no_fault(
    lie: Lie, path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """What is told once and not again is looked at again, where blocks may still change."""
    with lying(chain, {"eth_getLogs": lie}) as node:
        found = checked(path, "agreed", urls[0], node)

    assert (found.failures, found.blocks, found.silent) == ([], COUNT, [])


def test_who_is_down_is_named(
    path: Path, urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two that answer are enough; with one alone nothing is noted, and the blocks are told."""
    found = checked(path, "agreed", urls[0], DOWN, urls[1])

    assert (found.failures, found.left, found.blocks, found.unheard) == ([], [], COUNT, 0)
    ((low, high, why),) = found.silent
    assert (low, high, why.startswith(DOWN), why.count(DOWN)) == (FIRST, LAST, True, 1)

    with duckdb.connect(path) as connection:
        connection.execute("delete from audits")
    alone = checked(path, "agreed", urls[0], DOWN)
    with monkeypatch.context() as unread:
        unread.delattr("indexer.sync.inspecting.read_blocks")  # nothing to compare it with
        none = checked(path, "agreed", DOWN, "http://127.0.0.1:8")

    for found in (alone, none):
        assert (found.blocks, found.unheard, found.proven) == (0, COUNT, {})
        assert found.left == [(FIRST, LAST, "fewer than two endpoints told of them")]
    assert [why[: len(DOWN)] for *_, why in none.silent] == ["http://127.0.0.1:8", DOWN]
    assert rows(path, "from audits") == []


@pytest.mark.parametrize(
    "message",
    [
        "history has been pruned for this block",
        pytest.param("upgrade your plan: this method is not available", marks=pytest.mark.soak),
    ],
)
def test_who_has_thrown_it_away_is_named(
    message: str,
    *,
    path: Path,
    chain: Sequence[Block],
    urls: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What an endpoint no longer tells is no disagreement; it is asked for what is newer."""
    monkeypatch.setattr("indexer.sync.stretches._BLOCKS", 20)
    with serve([served(chain)], intercept=refusing(message, BIRTH)) as node:
        whole = checked(path, "agreed", node.url, *urls)
        lower = checked(path, "agreed", node.url, urls[0], to_block=BIRTH - 1)
        upper = checked(path, "agreed", node.url, urls[0], from_block=BIRTH)

    assert (whole.failures, whole.blocks, whole.unheard) == ([], COUNT, 0)
    assert [(low, high) for low, high, _ in whole.silent] == [(FIRST, BIRTH - 1)]
    assert message in whole.silent[0][2]
    assert (lower.blocks, lower.unheard) == (0, BIRTH - FIRST)
    assert (upper.blocks, upper.unheard, upper.silent) == (LAST - BIRTH + 1, 0, [])


def test_who_lags_tells_what_it_has_seen(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Blocks above its head wait for it; those below are compared."""
    with serve([served(chain[:-7])]) as node:
        found = checked(path, "agreed", urls[0], node.url)
        audits = rows(path, AUDITS)
        among_three = checked(path, "agreed", urls[0], node.url, urls[1])

    assert (found.failures, found.blocks, found.unheard) == ([], COUNT - 7, 7)
    assert found.left == [(LAST - 6, LAST, "fewer than two endpoints told of them")]
    assert [(low, high) for low, high, _ in found.silent] == [(LAST - 6, LAST)]
    assert audits == [(FIRST, LAST - 7, "agreed", "passed", "")]
    assert (among_three.failures, among_three.blocks, among_three.left) == ([], COUNT, [])


def test_who_breaks_down_is_asked_no_more(
    path: Path, chain: Sequence[Block], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is the other one, once it is alone: what it told could be compared with nothing."""
    monkeypatch.setattr("indexer.sync.stretches._BLOCKS", 20)
    asked: dict[str, list[int]] = {"breaking": [], "other": []}

    def listening(name: str) -> Callable[[str, bytes], Answer | None]:
        def intercept(_path: str, body: bytes) -> Answer | None:
            if b"eth_getLogs" not in body:
                return None
            asked[name].append(int(json.loads(body)[1]["params"][0]["fromBlock"], 16))
            is_down = name == "breaking" and asked[name][-1] >= FIRST + 40
            return Answer(503, b"away", {"Content-Type": "text/plain"}) if is_down else None

        return intercept

    with (
        serve([served(chain)], intercept=listening("breaking")) as breaking,
        serve([served(chain)], intercept=listening("other")) as other,
    ):
        found = checked(path, "agreed", breaking.url, other.url)

    assert (found.failures, found.blocks, found.unheard) == ([], 40, COUNT - 40)
    assert [(low, high) for low, high, _ in found.silent] == [(FIRST + 40, LAST)]
    assert {name: max(of) for name, of in asked.items()} == dict.fromkeys(asked, FIRST + 40)


def test_who_contradicts_itself_says_nothing(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Logs that were not asked for are no word about those that were."""
    lie: Lie = lambda logs: [{**log, "address": "0x" + "11" * 20} for log in logs]  # noqa: E731
    with lying(chain, {"eth_getLogs": lie}) as node:
        found = checked(path, "agreed", urls[0], node)

    assert (found.failures, found.unheard) == ([], COUNT)
    assert "of a contract that was not asked for" in found.silent[0][2]


def test_what_one_alone_tells_otherwise_is_told(path: Path, chain: Sequence[Block]) -> None:
    """No audit, for the other one refused; but nobody should think that all was well."""
    refusal = refusing("method not allowed")
    with (
        serve([served(chain)], intercept=refusal) as other,
        lying(chain, {"eth_getLogs": changed_data(QUIET)}) as node,
    ):
        found = checked(path, "agreed", other.url, node)

    assert (found.failures, found.blocks, rows(path, "from audits")) == ([], 0, [])
    _, _, why = found.left[0]
    assert why.endswith(f"(compared with {node.rstrip('/')}, 1 log changed)")


def test_another_chain_stops_it(path: Path, chain: Sequence[Block], urls: tuple[str, str]) -> None:
    """An endpoint of another chain is a setting to correct, as for every command."""
    with (
        serve([served(chain, chain_id=10)]) as node,
        pytest.raises(WorldError, match="serves the chain with id 10, expected 1"),
    ):
        checked(path, "agreed", urls[0], node.url)


@pytest.mark.parametrize("times", [0, 1, 2])
def test_one_endpoint_is_not_enough(times: int, path: Path, urls: tuple[str, str]) -> None:
    """The same URL twice is one endpoint."""
    asked = [urls[0], urls[0].rstrip("/")][:times]
    with pytest.raises(UserError, match=r"endpoints of ethereum: [01], expected at least 2"):
        checked(path, "agreed", *asked)


def test_ranges_that_are_too_large_are_split(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Nodes that serve few blocks at once, or few logs, are heard all the same."""
    with (
        serve([served(chain, max_block_span=9)]) as few_blocks,
        serve([served(chain, max_logs=4)]) as few_logs,
    ):
        found = checked(path, "agreed", urls[0], few_blocks.url, few_logs.url)

    assert (found.failures, found.blocks, found.silent) == ([], COUNT, [])


def test_a_sample_is_compared_block_by_block(path: Path, urls: tuple[str, str]) -> None:
    """As at other levels: so many blocks, chosen by chance, within what was asked for."""
    found = checked(path, "agreed", *urls, sample=40, from_block=BIRTH)

    assert (found.failures, found.blocks) == ([], 40)
    told = "select sum(to_block - from_block + 1)::int, min(from_block) >= {} from audits"
    assert rows(path, told.format(BIRTH)) == [(80, True)]


def test_a_recording_is_nobodys_word(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Of recordings alone nothing is noted; beside nodes one is named, and counts for nothing."""
    with ExitStack() as stack:
        replays = [
            stack.enter_context(serve([served(chain, client_version=REPLAY_CLIENT)])).url
            for _ in range(2)
        ]
        waived = checked(path, "agreed", *replays)
        nothing = rows(path, "from audits")
        mixed = checked(path, "agreed", urls[0], replays[0])

    assert (waived.proven, waived.waivers, nothing) == ({"waived": 2 * COUNT}, {RECORDED}, [])
    assert (mixed.blocks, mixed.unheard) == (0, COUNT)


@pytest.mark.parametrize("both", [True, False])
def test_a_reorg_is_left_to_index(tmp_path: Path, *, both: bool) -> None:
    """Blocks that left the chain, at one endpoint or at both, are condemned by none."""
    path, before = tmp_path / "a.duckdb", blocks(COUNT)
    after = blocks(COUNT + 3, below=before[: COUNT - 20], fork=b"fork", skip=2)
    with serve([served(before)]) as old, serve([served(after)]) as one, serve([served(after)]) as b:
        run(job(path), old.url)
        found = checked(path, "agreed", one.url, b.url if both else old.url)

    assert (found.failures, found.blocks, found.unheard) == ([], COUNT - 20, 0)
    assert [(low, high) for low, high, _ in found.left] == [(LAST - 19, LAST)]
    assert "a reorg took them out of the chain" in found.left[0][2]


def test_who_cannot_say_whether_it_left_the_chain_condemns_nothing(
    path: Path, chain: Sequence[Block], urls: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above finality another word may be of another branch; who breaks down then is named."""

    async def head(_node: Node, _tag: str = "latest") -> Header:
        raise NodeUnavailable("away")

    monkeypatch.setattr(Node, "head", head)
    with lying(chain, {"eth_getLogs": changed_data(NEW)}) as node:
        found = checked(path, "agreed", urls[0], node)

    assert (found.failures, found.blocks, found.unheard) == ([], COUNT - 32, 32)
    assert found.silent == [(LAST - 31, LAST, f"{node.rstrip('/')}: away")]


# What heals what, and repair.


def condemned(path: Path, chain: Sequence[Block], honest: str) -> None:
    """Store what a bad node told, and let an honest one disagree."""
    path.unlink()
    with lying(chain, {"eth_getLogs": changed_data(QUIET)}) as node:
        run(job(path), node)
        assert failed(checked(path, "agreed", node, honest)) == [("feed", QUIET, QUIET)]


def test_proof_alone_settles_who_is_right(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Headers and blooms say nothing about a word; receipts do, and so does agreement."""
    with lying(chain, {"eth_getLogs": changed_data(QUIET)}) as node:
        for level, is_healed in (("linked", 0), ("bloom", 0), ("receipts", 1), ("agreed", 1)):
            assert failed(checked(path, "agreed", node, urls[0])) == [("feed", QUIET, QUIET)]
            checked(path, level, *urls)
            assert read_failures(path, ETHEREUM.chain_id).is_empty() == is_healed


def test_agreement_settles_no_proof(path: Path, urls: tuple[str, str]) -> None:
    """Two endpoints that agree do not outweigh what a header says."""
    with duckdb.connect(path) as connection:
        for block, level in enumerate(("linked", "bloom", "receipts"), QUIET):
            connection.execute(
                "insert into audits values (1, 'feed', ?, ?, ?, 'failed', 'odd', '2020-01-01')",
                [block, block, level],
            )

    checked(path, "agreed", *urls)

    assert read_failures(path, ETHEREUM.chain_id)["level"].to_list() == [
        "linked",
        "bloom",
        "receipts",
    ]


@pytest.mark.usefixtures("_waived")
def test_receipts_that_cannot_be_proven_settle_nothing(
    path: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Level receipts passes what a chain waives, without having looked at a log."""
    condemned(path, chain, urls[0])

    assert checked(path, "receipts", *urls).failures == []

    assert len(read_failures(path, ETHEREUM.chain_id)) == 1


def test_receipts_decide_what_is_repaired(
    path: Path, made: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Where they can, whoever disagreed: the bad word leaves, the coverage says what it said."""
    condemned(path, chain, urls[0])

    with lying(chain, {"eth_getLogs": changed_data(QUIET)}) as node:
        done = mended(path, node, *urls)

    assert (done.failures, done.blocks, done.orphans) == ([], 1, 1)
    assert different(path, made) == set()
    assert read_failures(path, ETHEREUM.chain_id).is_empty()


@pytest.mark.usefixtures("_waived")
def test_nobody_is_believed_who_is_not_named(
    path: Path, made: Path, chain: Sequence[Block], urls: tuple[str, str]
) -> None:
    """Where nothing proves one right, several endpoints repair nothing; one that is named does."""
    condemned(path, chain, urls[0])
    before = contents(path)

    refused = mended(path, *urls)

    assert failed(refused) == [("feed", QUIET, QUIET)]
    assert "name it alone with --rpc" in refused.failures[0][3]
    assert contents(path) == before

    done = mended(path, urls[0], urls[0])

    assert (done.failures, done.blocks) == ([], 1)
    assert different(path, made) == set()
    assert read_failures(path, ETHEREUM.chain_id).is_empty()
