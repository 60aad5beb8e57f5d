"""What `perpscope doctor` finds out about endpoints, and how it says so."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from commands import perpscope
from rpc_rig import KEY, block, log
from sync_rig import blocks, served
from virtual_time import VirtualTime

from indexer.chains import ETHEREUM
from indexer.rpc import Endpoint
from indexer.rpc.answers import Blocks, Call, Part
from indexer.rpc.diagnosis import Problem, cost, problems
from indexer.rpc.examination import Examination, examine
from indexer.rpc.failures import TimedOut, failure, fault
from indexer.rpc.transport import Transport
from indexer.simulation.node import Answer, serve

HEAD = 1_000_000
URL = f"https://node.example/{KEY}"
TOLD = "maximum {} calls in 1 batch"
NOW = datetime(2023, 11, 14, 22, 13, 20) + timedelta(seconds=12 * HEAD + 5)

Refusal = dict[str, Any]


@dataclass
class Provider:
    """
    An endpoint in the test: an archive of a million blocks, each with a log, but for its defects.

    Attributes:
        chain_id: what it calls its chain.
        head: its newest block.
        headers_from: first block it has a header of; it answers null below.
        logs_from: first block it has logs of; it answers with an empty list below.
        says_pruned: whether it says so instead.
        state_from: first block it answers calls at.
        pins: honoured, refused or ignored.
        tags: the tags it knows.
        methods: those it does not serve.
        most_calls: in one request.
        in_words: how it refuses more, with a blank for how many it takes.
        most_blocks: in one eth_getLogs.
        limit: calls it takes in a second.
        is_mute: whether it never answers.
        needs_address: whether it refuses to search all contracts.
        quiet_below: no block below has a log, as its header says.
        requests: how many it saw.
    """

    chain_id: int = 1
    head: int = HEAD
    headers_from: int = 0
    logs_from: int = 0
    says_pruned: bool = False
    state_from: int = 0
    pins: str = "honoured"
    tags: tuple[str, ...] = ("latest", "safe", "finalized")
    methods: tuple[str, ...] = ()
    most_calls: int = 1_000
    in_words: str = "batch too large"
    most_blocks: int = 10**9
    limit: int | None = None
    is_mute: bool = False
    needs_address: bool = False
    quiet_below: int = 0
    requests: int = 0
    seen: list[float] = field(default_factory=list)

    def answer(self, call: Call, now: float) -> Any:
        """Return the result of a call, or the error as {"refused": ...}."""
        method, params = call
        self.seen.append(now)
        if self.limit is not None and sum(at > now - 1 for at in self.seen) > self.limit:
            return refused(429, "Too Many Requests")
        if method in self.methods:
            return refused(-32601, f"the method {method} does not exist")
        return getattr(self, f"_{method}")(*params)

    def _eth_chainId(self) -> str:  # noqa: N802 - JSON-RPC's own name
        return hex(self.chain_id)

    def _web3_clientVersion(self) -> str:  # noqa: N802 - likewise
        return "Provider/1"

    def _eth_getBlockByNumber(self, name: str, _full: object) -> Any:  # noqa: N802 - likewise
        if not name.startswith("0x"):
            known = name in self.tags
            return self._header(self.head) if known else refused(-32602, "invalid block tag x")
        return self._header(int(name, 16))

    def _header(self, number: int) -> Any:
        if number > self.head or 0 < number < self.headers_from:
            return None
        bloom = "01" if number >= self.quiet_below else "00"
        return block(number) | {"logsBloom": f"0x{bloom * 256}"}

    def _eth_getBlockReceipts(self, _name: str) -> list[object]:  # noqa: N802 - likewise
        return []

    def _eth_call(self, _call: object, moment: Any) -> Any:
        if isinstance(moment, str):
            served = int(moment, 16) >= self.state_from
            return "0x" if served else refused(-32000, "missing trie node 12ab (path )")
        if self.pins == "refused":
            return refused(-32602, "json: cannot unmarshal object into Go value of type x")
        is_known = moment["blockHash"] == block(self.head)["hash"]
        return "0x" if is_known or self.pins == "ignored" else refused(-32000, "header not found")

    def _eth_getLogs(self, query: dict[str, Any]) -> Any:  # noqa: N802 - likewise
        first, last = int(query["fromBlock"], 16), int(query["toBlock"], 16)
        if last - first + 1 > self.most_blocks:
            return refused(-32614, f"eth_getLogs is limited to a {self.most_blocks:,} range")
        if "address" in query:
            return []
        if self.needs_address:
            return refused(-32701, "Please specify an address in your request")
        if first < self.logs_from and self.says_pruned:
            return refused(4444, "pruned history unavailable")
        earliest = max(self.logs_from, self.quiet_below)
        return [log(number) for number in range(max(first, earliest), last + 1)]


def refused(code: int, message: str) -> Refusal:
    """Return an error as `Provider.answer` does."""
    return {"refused": {"code": code, "message": message}}


class Connected(Transport):
    """A transport to a provider in the test."""

    def __init__(self, endpoint: Endpoint, provider: Provider, time: VirtualTime) -> None:
        """Connect an endpoint to its provider."""
        super().__init__(endpoint)
        self._provider, self._time = provider, time

    async def ask(self, calls: Sequence[Call], _blocks: Blocks | None = None) -> list[Part]:
        """Return the provider's answers after a tenth of a second."""
        self._provider.requests += 1
        await self._time.sleep(0.1)
        if self._provider.is_mute:
            raise TimedOut(self.endpoint)
        if len(calls) > self._provider.most_calls:
            said = self._provider.in_words.format(self._provider.most_calls)
            error = msgspec.json.encode({"code": -32000, "message": said})
            raise failure(fault(error, self.endpoint), self.endpoint, None, len(calls))
        return [_part(self._provider.answer(call, self._time.now)) for call in calls]

    async def exchanged(self, *_: object) -> list[Part]:
        """Refuse: nothing is encoded here."""
        raise AssertionError("nobody asks this endpoint for bytes")

    async def disconnect(self) -> None:
        """Nothing is connected."""


def _part(result: Any) -> Part:
    is_error = isinstance(result, dict) and "refused" in result
    raw = msgspec.Raw(msgspec.json.encode(result["refused"] if is_error else result))
    return Part(id=1, error=raw) if is_error else Part(id=1, result=raw)


def examined(provider: Provider) -> Examination:
    """Return what is found out about a provider."""
    time = VirtualTime()
    work = examine(Endpoint(URL), ETHEREUM, time.clock, lambda end: Connected(end, provider, time))
    return time.run(work)


def wrong(*found: Examination) -> list[Problem]:
    """Return what is wrong with endpoints that were examined."""
    return problems(found, [Endpoint(URL)] * len(found), ETHEREUM, NOW)


def test_nothing_is_wrong_with_a_sound_archive() -> None:
    """No false alarm, and every ability is found."""
    found = examined(Provider())

    assert wrong(found) == []
    assert found.client == "Provider/1"
    assert found.head == HEAD
    assert (found.has_safe, found.has_finalized, found.has_receipts) == (True, True, True)
    assert found.pins == "honoured"
    assert found.batch_calls == 100
    assert found.log_blocks == 100_000
    assert found.logs_answered == 20
    assert (found.headers_from, found.logs_from, found.state_from) == (1, 1, 1)
    assert found.latency_seconds == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("provider", "finding", "said"),
    [
        (Provider(tags=("latest",)), {"has_finalized": False}, "knows no `finalized` block"),
        (
            Provider(methods=("eth_getBlockReceipts",)),
            {"has_receipts": False},
            "serves no eth_getBlockReceipts",
        ),
        (Provider(pins="ignored"), {"pins": "ignored", "state_from": None}, "does not exist"),
        (Provider(pins="refused"), {"pins": "refused"}, "takes no block hash"),
        (
            Provider(most_blocks=500),
            {"log_blocks": 500},
            "serves 500 blocks of logs at once: a million blocks take at least 4,000 calls",
        ),
        (Provider(methods=("eth_call",)), {"state_from": None}, "answers no calls"),
        (
            Provider(most_calls=3, in_words=TOLD),
            {"batch_calls": 3},
            "takes 3 calls in one request: headers, receipts and state take more requests",
        ),
        (Provider(limit=15), {"is_limited": True}, "limited our rate"),
    ],
    ids=lambda part: part if isinstance(part, str) else "",
)
def test_a_defect_is_found_and_priced(
    provider: Provider, finding: dict[str, object], said: str
) -> None:
    """Each defect alone gives one sentence, and leaves the endpoint usable."""
    found = examined(provider)

    assert {name: getattr(found, name) for name in finding} == finding
    (problem,) = wrong(found)
    assert said in problem.sentence
    assert not problem.is_fatal


def test_a_smaller_batch_is_found() -> None:
    """The largest size that works is measured."""
    assert examined(Provider(most_calls=30)).batch_calls == 20


def test_a_batch_that_is_told_is_tried() -> None:
    """Where the refusal names how many calls are taken, that many are."""
    assert examined(Provider(most_calls=3, in_words=TOLD)).batch_calls == 3


@pytest.mark.parametrize("first", [700_000, 20_000, 999_900])
def test_history_that_is_pruned_to_empty_answers_is_found(first: int) -> None:
    """The header says that there are logs, the answer has none: the worst of all defects."""
    found = examined(Provider(logs_from=first))

    assert found.empty_at is not None
    assert found.empty_at < first
    assert found.logs_from is not None
    assert abs(found.logs_from - first) < max(0.02 * HEAD, 20)
    assert any("indexing it from here would lose events" in each.sentence for each in wrong(found))


def test_history_that_is_said_to_be_pruned_is_found() -> None:
    """An error is an honest answer: no log is missing unseen."""
    found = examined(Provider(logs_from=700_000, says_pruned=True))

    assert found.empty_at is None
    assert found.logs_from is not None
    assert abs(found.logs_from - 700_000) < 20_000
    assert ["serves logs from about block" in each.sentence for each in wrong(found)] == [True]


def test_blocks_without_logs_are_not_called_pruned() -> None:
    """No logs is the right answer where the header says so."""
    found = examined(Provider(quiet_below=700_000))

    assert found.logs_from is not None
    assert found.logs_from >= 700_000
    assert (found.lacks_logs, found.empty_at, wrong(found)) == (False, None, [])


def test_a_young_chain_is_served_whole() -> None:
    """Six blocks in one answer are all there are, and no limit."""
    found = examined(Provider(head=5))

    assert (found.log_blocks, found.log_refusal, found.logs_from) == (6, None, 1)


def test_headers_that_are_gone_are_found() -> None:
    """Null for an old block is pruned history, and block 0 proves nothing."""
    found = examined(Provider(headers_from=400_000, logs_from=400_000, state_from=400_000))

    assert found.headers_from is not None
    assert abs(found.headers_from - 400_000) < 20_000
    assert found.empty_at is None


def test_state_that_is_gone_is_found() -> None:
    """A full node keeps the state of its last blocks only."""
    found = examined(Provider(state_from=HEAD - 127))

    assert found.state_from is not None
    assert HEAD - 127 <= found.state_from <= HEAD
    assert "needs an archive node" in wrong(found)[0].sentence


def test_logs_that_need_an_address_are_not_called_pruned() -> None:
    """What cannot be found out is left open, without an alarm."""
    found = examined(Provider(needs_address=True))

    assert (found.logs_answered, found.logs_from, found.empty_at) == (None, None, None)
    assert wrong(found) == []


@pytest.mark.parametrize(
    ("provider", "said"),
    [
        (Provider(is_mute=True), "did not answer within 20 s"),
        (Provider(chain_id=5), "serves the chain with id 5, expected 1"),
        (Provider(chain_id=1 << 20_000), "5,003 characters where a number in hex was expected"),
        (Provider(methods=("eth_getLogs",)), "serves no logs"),
        (Provider(most_calls=1), "takes no batches"),
    ],
)
def test_an_endpoint_that_cannot_be_used_is_fatal(provider: Provider, said: str) -> None:
    """It does not answer, serves another chain, or has no logs to index."""
    (problem, *_) = wrong(examined(provider))

    assert said in problem.sentence
    assert problem.is_fatal


def test_an_endpoint_behind_the_best_is_named() -> None:
    """Lag is measured against the others, age against the wall clock."""
    late, best = examined(Provider(head=HEAD - 100)), examined(Provider())

    sentences = [problem.sentence for problem in wrong(late, best)]

    assert len(sentences) == 2
    assert "is 100 blocks behind the best endpoint, about 1,200 s" in sentences[0]
    assert "newest block that is 1,205 s old" in sentences[1]


@pytest.mark.parametrize(
    "provider",
    [
        Provider(),
        Provider(headers_from=333_333, logs_from=555_555, state_from=777_777, most_calls=10),
        Provider(limit=5, logs_from=555_555),
    ],
)
def test_an_examination_is_bounded(provider: Provider) -> None:
    """It costs about what a few minutes of indexing cost, whatever the endpoint does."""
    examined(provider)

    assert provider.requests < 150


def test_a_capped_pace_is_part_of_the_price() -> None:
    """Two calls for each range, at no more than the configured pace."""
    found = replace(examined(Provider()), log_blocks=1_000, latency_seconds=0.8)

    free = cost(found, Endpoint(URL, concurrency=8))
    capped = cost(found, Endpoint(URL, requests_per_second=1.0))

    assert free is not None
    assert capped is not None
    assert free.calls == 2_000
    assert free.hours == pytest.approx(100 / 3_600)
    assert capped.hours == pytest.approx(2_000 / 3_600)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """Serve a small chain of Ethereum."""
    with serve([served(blocks(50))]) as node:
        yield node.url


def test_the_command_prints_a_table(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A column for each endpoint, over HTTP and WebSocket, and a sentence for each problem."""
    sockets = url.replace("http", "ws")

    code = perpscope("doctor", "--chain", "ethereum", "--rpc", url, "--rpc", f"{sockets}?k={KEY}")

    out = capsys.readouterr().out
    assert code == 0
    assert "perpscope-simulated/1" in out
    assert f"{sockets}..." in out
    assert "note: " in out
    assert KEY not in out


def test_an_endpoint_with_two_faults_is_one_endpoint(capsys: pytest.CaptureFixture[str]) -> None:
    """It serves no logs and takes no batches: two findings, one endpoint that cannot be used."""

    def intercept(_slug: str, body: bytes) -> Answer | None:
        if b"eth_getLogs" not in body and not body.lstrip().startswith(b"["):
            return None
        error = {"code": -32600, "message": "not supported"}
        return Answer(200, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode())

    with serve([served(blocks(10))], intercept=intercept) as node:
        code = perpscope("doctor", "--chain", "ethereum", "--rpc", node.url)

    printed = capsys.readouterr()
    assert code == 1
    assert printed.out.count("unusable: ") == 2
    assert "1 of 1 endpoints cannot be used" in printed.err


def test_an_unusable_endpoint_is_the_exit_code(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit 1 with one sentence; the findings are printed all the same, as JSON where wanted."""
    path = tmp_path / "perpscope.toml"
    path.write_text(
        f'[chains.ethereum]\nrpc = ["{url}", "http://127.0.0.1:9/{KEY}"]\n'
        "[retries]\nfirst_wait_seconds = 0.01\n"
    )

    code = perpscope("doctor", "--config", path, "--format", "json")

    printed = capsys.readouterr()
    (report,) = json.loads(printed.out)
    assert code == 1
    assert "1 of 2 endpoints cannot be used" in printed.err
    assert report["chain"] == "ethereum"
    assert [one["failure"] is None for one in report["endpoints"]] == [True, False]
    assert report["endpoints"][0]["head_at"].endswith("Z")
    lost = report["endpoints"][1]
    assert {name for name, value in lost.items() if value is not None} == {
        *("endpoint", "failure", "requests")
    }
    assert [each["is_fatal"] for each in report["problems"]].count(True) == 1
    assert KEY not in printed.out + printed.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "there is no endpoint to examine"),
        (("--chain", "ethereum"), "there is no endpoint to examine"),
        (("--rpc", "http://127.0.0.1:9"), "does not say which chain"),
        (("--chain", "nowhere", "--rpc", "http://127.0.0.1:9"), "nowhere"),
    ],
)
def test_the_users_mistakes(
    words: tuple[str, ...],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Exit 2 with a sentence."""
    monkeypatch.chdir(tmp_path)

    assert perpscope("doctor", *words) == 2
    assert said in capsys.readouterr().err
