"""The rig itself: it does what its faults say, when the seed says so, and counts it."""

import json
import re
import signal
import subprocess
import sys
from http.client import HTTPException
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from database_digest import digest
from loopback import answer, ask, header, send
from rig.catalogue import FAULTS
from rig.exchange import Habits
from rig.fault import Planned
from rig.live import BLOCKS, FINALIZED_LAG, SAFE_LAG, live
from rig.node import Rig, serving
from rig.runs import Told, indexed, job_of, patient
from rig.sayings import BATCH_LIMITS, BREAKDOWNS, RANGE_LIMITS, RATE_LIMITS, UNSEEN, Saying
from rig.transfers import Transfers
from sync_rig import FIRST

from indexer.rpc import Endpoint
from indexer.rpc.failures import failure, fault
from indexer.rpc.wordings import WORDINGS, Meaning, wording

HEAD = FIRST + BLOCKS - 1
EVERYTHING = {"fromBlock": hex(FIRST), "toBlock": hex(HEAD)}
LOW, HIGH, LIMIT = 1_000, 99_999, 500


def faulty(*names: str, rate: float = 1.0, most: int | None = None, **habits: Any) -> Rig:
    """Return a rig with these faults."""
    planned = [Planned(FAULTS[name], rate, most) for name in names]
    return Rig(live(), planned, seed=1, habits=Habits(**habits))


def test_a_sound_rig_serves_the_chain_and_its_tags() -> None:
    """Without faults it is a node like any other."""
    with serving(Rig(live())) as rig:
        tags = {tag: int(header(rig.url, tag)["number"], 16) for tag in ("safe", "finalized")}
        logs = ask(rig.url, "eth_getLogs", EVERYTHING)

    assert tags == {"safe": HEAD - SAFE_LAG, "finalized": HEAD - FINALIZED_LAG}
    assert len(logs) > 100
    assert rig.struck == {}


def test_a_chain_is_mined_and_reorganised_while_it_is_served() -> None:
    """Heads and hashes change from one call to the next, below the fork they stay."""
    with serving(Rig(live())) as rig:
        fork, top = hex(HEAD - 10), hex(HEAD)
        before = [header(rig.url, number)["hash"] for number in (fork, top)]
        rig.live.reorg(10, growth=3)
        after = [header(rig.url, number)["hash"] for number in (fork, top)]
        head = ask(rig.url, "eth_blockNumber")

    assert before[0] == after[0]
    assert before[1] != after[1]
    assert int(head, 16) == HEAD + 3


def test_a_chain_is_moved_from_outside_between_two_answers() -> None:
    """A fault that moves the chain for a client that is dead by now ends before we move it."""
    asked, released = Event(), Event()

    def wait() -> None:
        asked.set()
        released.wait(10)

    rig = Rig(live())
    rig.on_request = wait
    answering = Thread(target=rig.reply, args=(b'{"method": "eth_chainId", "id": 1}',))
    answering.start()
    asked.wait(10)
    is_free = rig.answering.acquire(blocking=False)
    released.set()
    answering.join(10)

    assert not is_free
    assert rig.answering.acquire(blocking=False)


@pytest.mark.parametrize(
    ("name", "missing"), [("log_left_out", 1), ("block_left_out", 3), ("truncated", 71)]
)
def test_an_omission_leaves_out_what_it_says(name: str, missing: int) -> None:
    """The rest of the answer stays as it is, in its order."""
    block = FIRST + 40  # a feed's answer, a birth and a deposit
    with serving(faulty(name, block=block, log_limit=70)) as rig:
        told = ask(rig.url, "eth_getLogs", EVERYTHING)
        rig.heal()
        true = ask(rig.url, "eth_getLogs", EVERYTHING)

    assert len(true) - len(told) == missing
    assert [log for log in true if log in told] == told
    assert rig.struck[name] == 1


def test_no_block_holds_two_logs_of_one_kind() -> None:
    """What is left out of a block is missing from what its bloom promises."""
    keys = [found.log_keys for found in live().blocks]

    assert all(len({key[:2] for key in found}) == len(found) for found in keys)


def test_faults_strike_when_the_seed_says_so() -> None:
    """Two rigs with one seed strike alike, whatever came before; another seed strikes elsewhere."""
    asked = [{"fromBlock": hex(FIRST + n), "toBlock": hex(FIRST + n)} for n in range(60)]

    def struck(rig: Rig, numbers: list[int]) -> set[int]:
        with serving(rig):
            answers = {n: ask(rig.url, "eth_getLogs", asked[n]) for n in numbers}
        return {n for n, told in answers.items() if any(log["removed"] for log in told)}

    forwards, backwards, other = (faulty("removed_log", rate=0.3) for _ in range(3))
    other.seed = 2
    found = struck(forwards, list(range(60)))

    assert 3 < len(found) < 30
    assert struck(backwards, list(range(60))[::-1]) == found
    assert struck(other, list(range(60))) != found


def test_a_fault_strikes_at_most_so_often_and_not_before() -> None:
    """Its plan bounds it."""
    rig = Rig(live(), [Planned(FAULTS["server_error"], most=2, after=3)])
    with serving(rig):
        body = json.dumps({"id": 1, "method": "eth_blockNumber", "params": []}).encode()
        statuses = [answer(rig.url, body)[0] for _ in range(7)]

    assert [status >= 500 for status in statuses] == [False] * 3 + [True] * 2 + [False] * 2


@pytest.mark.parametrize("name", ["cut_connection", "cut_body"])
def test_a_connection_breaks(name: str) -> None:
    """The client sees a broken connection, not a short answer."""
    with serving(faulty(name)) as rig, pytest.raises((OSError, HTTPException)):
        ask(rig.url, "eth_blockNumber")


def test_a_batch_is_mangled_as_said() -> None:
    """Order, completeness and errors of a batch change, and nothing else."""
    calls = [{"id": n, "method": "eth_blockNumber", "params": []} for n in range(5)]
    with serving(faulty("batch_out_of_order", "batch_partly_lost")) as rig:
        told = send(rig.url, calls)
    with serving(faulty("batch_partly_failed")) as rig:
        failed = send(rig.url, calls)

    ids = [part["id"] for part in told]
    assert len(ids) == 4
    assert ids == sorted(ids, reverse=True)
    assert ["error" in part for part in failed].count(True) == 1


@pytest.mark.parametrize(
    ("sayings", "meaning"),
    [
        (RANGE_LIMITS, Meaning.TOO_LARGE),
        (BATCH_LIMITS, Meaning.FEWER_CALLS),
        (RATE_LIMITS, Meaning.SLOW_DOWN),
        (UNSEEN, Meaning.BEHIND),
        (BREAKDOWNS, Meaning.FAILED),
    ],
)
def test_the_rig_speaks_as_providers_do(sayings: tuple[Saying, ...], meaning: Meaning) -> None:
    """Every saying is understood, and every wording of the catalogue is said by one of them."""
    texts = [f"{one.code} {one.text(LOW, HIGH, LIMIT)} null" for one in sayings]
    rows = [row for row in WORDINGS if row.means is meaning]

    assert {wording(text)[0].means for text in texts} == {meaning}
    heard = [wording(text)[0] for text in texts]
    assert [row.pattern for row in rows if row not in heard] == [], "add a Saying for each"


@pytest.mark.parametrize("saying", RANGE_LIMITS, ids=lambda saying: saying.said_by)
def test_a_proposed_range_is_what_the_rig_would_serve(saying: Saying) -> None:
    """Where a refusal names a range or a length, it is the one that the limit allows."""
    text = json.dumps({"code": saying.code, "message": saying.text(LOW, HIGH, LIMIT)}).encode()
    endpoint = Endpoint("http://127.0.0.1:1")

    suggested = getattr(failure(fault(text, endpoint), endpoint, (LOW, HIGH)), "suggested", None)

    blanks = re.findall(r"{(limit|fits)", saying.message)
    assert suggested == ((LOW, LOW + LIMIT - 1) if blanks else None)


@pytest.mark.parametrize(
    "said_by",
    [
        "Alchemy",
        "Reth, proposing what it refused",
        "zkEVM",
        *(pytest.param(said_by, marks=pytest.mark.soak) for said_by in ("Reth", "Base", "BSC")),
    ],
)
def test_no_kind_of_limit_stops_a_run(said_by: str, tmp_path: Path) -> None:
    """Whoever refuses long ranges is asked for shorter ones until all is there."""
    rig = faulty("range_limit", span_limit=30, said_by=said_by)
    with serving(rig):
        told = indexed(job_of(tmp_path / "a.duckdb"), patient(rig.url))

    assert rig.struck["range_limit"]
    assert told == Told(HEAD)


def test_a_digest_sees_every_change_but_the_order(tmp_path: Path) -> None:
    """Two runs with other ranges have one digest; one row less has another."""
    paths = [tmp_path / "a.duckdb", tmp_path / "b.duckdb"]
    with serving(Rig(live())) as rig:
        for path, span in zip(paths, (23, 80), strict=True):
            indexed(job_of(path, max_span=span), patient(rig.url))
    whole = [digest(path) for path in paths]
    with_one_less(paths[1])
    changed = digest(paths[1])

    assert whole[0] == whole[1]
    assert {name for name in changed if changed[name] != whole[1][name]} == {"pool_flows"}


def with_one_less(path: Path) -> None:
    """Take one row out of a table."""
    import duckdb

    with duckdb.connect(path) as connection:
        one = "select min(block_number) from pool_flows"
        connection.execute(f"delete from pool_flows where block_number = ({one})")


def test_large_chains_have_true_headers_and_the_odd_log() -> None:
    """Some logs have a topic too many, some values are as large as can be."""
    chain = Transfers(logs=2_000, per_block=25).chain()
    texts = [json.loads(text) for found in chain.blocks for text in found.log_texts]

    assert len(texts) == 2_000
    assert [len(log["topics"]) for log in texts].count(4) == 4
    assert sum(log["data"] == "0x" + "ff" * 32 for log in texts) == 2
    assert len({found.header["receiptsRoot"] for found in chain.blocks}) == 80


def test_the_rig_serves_any_client_from_the_command_line() -> None:
    """It says in JSON what it serves, and at the end what it did."""
    script = Path(__file__).parent / "serve_rig.py"
    words = [sys.executable, str(script), "--logs", "100", "--fault", "log_left_out"]
    with subprocess.Popen([*words, "--block", "3"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        offer = json.loads(process.stdout.readline())
        query = {"fromBlock": hex(offer["first"]), "toBlock": hex(offer["last"])}
        logs = ask(offer["url"], "eth_getLogs", query)
        process.send_signal(signal.SIGTERM)
        told = json.loads(process.stdout.readline())

    assert len(logs) == 99
    assert told["struck"] == {"log_left_out": 1}
