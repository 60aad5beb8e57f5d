"""How the client meets nodes that break off, lie about form, limit it or serve another chain."""

import asyncio
import json
import logging
import traceback
from email.utils import formatdate
from time import time
from typing import Any

import pytest
from rpc_rig import KEY, WANTED, Client, Reply, Script, ask, log

from indexer.chains import ETHEREUM
from indexer.errors import (
    NodeAnswerWrong,
    NodeBehind,
    NodeUnavailable,
    RangeTooLarge,
    UserError,
    WorldError,
)
from indexer.rpc import Endpoint, Node, redacted
from indexer.rpc.failures import Refused

HTML = Reply(b"<!DOCTYPE html><html><title>502</title></html>")
DEEP = b"[" * 100_000 + b"]" * 100_000 + b"}"


async def question(node: Node) -> int:
    """Ask for three blocks of logs; three logs are the right answer."""
    logs, _ = await node.logs(WANTED, 2, 4)
    return logs.height


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (HTML, "answered with a web page"),
        (Reply(b"", 200), "answered with an empty answer"),
        (Reply(b"not json"), 'answered with "not json"'),
        (Reply(b'[{"jsonrpc":"2.0","id":1,"result":{"num'), "JSON that is cut off"),
        (Reply(b'{"message":"hello"}'), "JSON that is not JSON-RPC"),
        (Reply(b'{"a":[1,2'), "JSON that is cut off"),
        (Reply(b"\xff\xfe\x00"), "answered with"),
        (Reply(b'{"id":"\xff"}'), "JSON that is cut off"),
        (Reply(b'{"id":' + b"[" * 5_000), "JSON that is cut off"),
        (Reply(b"slow", 429, {"Retry-After": "9" * 400}), "limits our rate"),
        (
            Reply(b"slow", 429, {"Retry-After": "1 Jan 9999999999999999999 0:0:0"}),
            "limits our rate",
        ),
        (Reply(b"oops", 500), "HTTP status 500"),
        (Reply(b"<html>", 502), "HTTP status 502"),
        (Reply(b"no key", 401), "HTTP status 401"),
        (Reply(b"", 404), "HTTP status 404"),
        (Reply(b"", 301, {"Location": "https://elsewhere/"}), "HTTP status 301"),
        (Reply(b"slow", 429), "limits our rate"),
        (Reply(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"boom"}}'), "boom"),
        (Reply(b'{"error":"forbidden"}', 403), "forbidden"),
        (Reply(b'{"error":"no"}', 401), 'does not let us in: it said "no"; check its key'),
        (Reply(b'{"id":1,"result":' + DEEP), "JSON that is cut off or not JSON-RPC"),
        (Reply(b'{"id":null,"error":{"code":' + b"9" * 5_000 + b"}}"), "9999"),
    ],
)
def test_an_answer_that_is_none_is_the_nodes_failure(reply: Reply, said: str) -> None:
    """Whatever comes instead of JSON-RPC, one sentence says what was seen and what to do."""
    with pytest.raises(NodeUnavailable, match=said) as caught:
        ask(question, Script(forever=reply))

    assert "\n" not in str(caught.value)
    assert "; " in str(caught.value)


@pytest.mark.parametrize("reply", [HTML, Reply(b""), Reply(b"x", 500), Reply(b'[{"id":', 200)])
def test_a_failure_that_passes_is_not_seen(reply: Reply) -> None:
    """One broken answer is followed by a pause and another try."""
    client = Client()

    answer = client.ask(question, Script(replies=[reply]))

    assert answer == 3
    assert len(client.pauses) == 1


def test_pauses_grow_and_end() -> None:
    """A node that never works is tried `tries` times, each pause longer, none beyond the limit."""
    client = Client({"tries": 5, "first_wait_seconds": 1, "longest_wait_seconds": 3})
    script = Script(forever=Reply(b"", 500))

    with pytest.raises(NodeUnavailable):
        client.ask(question, script)

    assert script.seen.count("eth_getLogs") == 5
    assert [int(pause) for pause in client.pauses[:2]] == [1, 2]
    assert all(3 <= pause <= 4 for pause in client.pauses[2:])


def test_retry_after_in_seconds_is_obeyed() -> None:
    """The pause is at least as long as the node asks."""
    client = Client()

    client.ask(question, Script(replies=[Reply(b"", 429, {"Retry-After": "7"})]))

    assert client.pauses == [7]


def test_retry_after_as_a_date_is_obeyed() -> None:
    """The other form of the header is a date."""
    client = Client()
    soon = formatdate(time() + 30, usegmt=True)

    client.ask(question, Script(replies=[Reply(b"", 503, {"Retry-After": soon})]))

    assert 25 < client.pauses[0] <= 30


def test_a_backoff_inside_the_error_is_obeyed() -> None:
    """Infura says how long to wait in the error's data."""
    client = Client()
    error = (
        b'{"code":-32005,"message":"request rate exceeded","data":{"rate":{"backoff_seconds":9}}}'
    )
    refusal = Reply(b'{"jsonrpc":"2.0","id":null,"error":' + error + b"}")

    client.ask(question, Script(replies=[refusal]))

    assert client.pauses == [9]


def test_a_pause_beyond_our_patience_is_not_slept() -> None:
    """An endpoint that asks for an hour is left at once, and the error says so."""
    client = Client({"longest_wait_seconds": 60})

    with pytest.raises(NodeUnavailable, match="asks for a pause of 3600 s"):
        client.ask(question, Script(forever=Reply(b"", 429, {"Retry-After": "3600"})))

    assert client.pauses == []


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_is_not_repeated(status: int) -> None:
    """A wrong key stays wrong."""
    script = Script(forever=Reply(b"", status))

    with pytest.raises(NodeUnavailable):
        ask(question, script)

    assert script.seen.count("eth_getLogs") == 1


def test_a_node_that_is_down_is_named() -> None:
    """Nothing listens on port 1 of loopback."""
    endpoint = Endpoint("http://127.0.0.1:1/", tries=1)

    with pytest.raises(NodeUnavailable, match=r"http://127.0.0.1:1 cannot be reached"):
        ask_of(endpoint)


def ask_of(endpoint: Endpoint) -> None:
    """Enter a node with one endpoint and no server."""

    async def enter() -> None:
        """Enter the node and leave it again."""
        async with Node([endpoint], ETHEREUM):
            pass

    asyncio.run(enter())


def test_another_chains_node_is_refused() -> None:
    """Both ids are named; nothing else is asked."""
    script = Script(chain_id=8453)

    with pytest.raises(WorldError, match=r"chain with id 8453, expected 1 \(ethereum\)"):
        ask(question, script)

    assert script.seen == ["eth_chainId"]


def test_another_chains_node_is_refused_beside_a_right_one() -> None:
    """A wrong second endpoint is found at once, not when the first one fails."""
    with pytest.raises(WorldError, match="chain with id 5"):
        ask(question, Script(), Script(chain_id=5))


def test_the_next_endpoint_takes_over_and_stays() -> None:
    """An endpoint that fails is left at once; questions soon after start at the second."""
    broken, sound = Script(forever=HTML), Script()

    async def twice(node: Node) -> list[int]:
        """Ask the same question twice."""
        return [await question(node), await question(node)]

    answers = ask(twice, broken, sound)

    assert answers == [3, 3]
    assert broken.seen.count("eth_getLogs") == 1
    assert sound.seen.count("eth_getLogs") == 2


def test_an_endpoint_that_is_down_on_entering_is_passed_over() -> None:
    """One working endpoint is enough; nobody waits for the others."""
    client = Client()
    sleeping = Script(results={"eth_chainId": None})

    assert client.ask(question, sleeping, Script()) == 3
    assert "eth_getLogs" not in sleeping.seen
    assert client.pauses == []


def test_an_endpoint_that_was_down_proves_its_chain_before_it_is_used() -> None:
    """Coming back later does not excuse it from naming its chain."""
    late = Script(chain_id=5, errors={"eth_chainId": {"code": -32603, "message": "starting"}})
    broken = Script()

    async def twice(node: Node) -> int:
        """Ask before and after the endpoints change places."""
        await question(node)
        late.errors.clear()
        broken.forever = HTML
        return await question(node)

    with pytest.raises(WorldError, match="chain with id 5"):
        ask(twice, late, broken)


def test_an_endpoint_that_lies_is_left_for_the_next() -> None:
    """A wrong answer is asked for elsewhere, without a pause."""
    client = Client()
    liar = Script(results={"eth_getLogs": [log(2), log(2)]})

    assert client.ask(question, liar, Script()) == 3
    assert liar.seen.count("eth_getLogs") == 1
    assert client.pauses == []


def test_a_lagging_endpoint_is_left_for_the_next() -> None:
    """A node that has not seen the range gives way to one that has."""
    lagging = Script(results={"eth_getBlockByNumber": None})

    assert ask(question, lagging, Script()) == 3


def test_wrong_ids_are_refused() -> None:
    """An answer to another request is not believed."""

    def shifted(answer: list[dict[str, object]]) -> object:
        return [part | {"id": 1_000 + place} for place, part in enumerate(answer)]

    with pytest.raises(NodeAnswerWrong, match="answered request ids 1000, 1001"):
        ask(question, Script(whole=shifted))


def test_an_id_shows_no_key() -> None:
    """Nor more of it than fits a line: it is whatever the node made of it."""

    def named(answer: list[dict[str, object]]) -> object:
        return [answer[0], answer[1] | {"id": KEY + "\x07" + "x" * 10_000}]

    with pytest.raises(NodeAnswerWrong, match="answered request ids") as caught:
        ask(question, Script(whole=named))

    assert KEY not in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


HOSTILE = "\x1b[2J\x07\u202e\x9b"


@pytest.mark.parametrize(
    "script",
    [
        Script(forever=Reply(HOSTILE.encode())),
        Script(forever=Reply(json.dumps(["0x"]).encode("utf-16"))),
        Script(forever=Reply(json.dumps({"error": HOSTILE}).encode(), 403)),
        Script(errors={"eth_getLogs": {"code": -32000, "message": f"no {HOSTILE}"}}),
        Script(results={"eth_getLogs": [HOSTILE * 1_000]}),
    ],
)
def test_a_node_does_nothing_to_a_terminal(script: Script) -> None:
    """What nobody sees is written out, and long values are not repeated."""
    with pytest.raises(WorldError) as caught:
        ask(question, script)

    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_batch_out_of_order_is_understood() -> None:
    """JSON-RPC lets a node answer a batch in any order."""
    assert ask(question, Script(whole=lambda answer: answer[::-1])) == 3


@pytest.mark.parametrize(
    "change",
    [
        lambda answer: answer[:1],
        lambda answer: [answer[0], answer[0]],
        lambda answer: [*answer, answer[1] | {"result": []}],
    ],
)
def test_a_batch_with_a_part_too_few_or_too_many_is_refused(change: object) -> None:
    """Each call has its own answer."""
    with pytest.raises(NodeAnswerWrong, match=r"answered (request ids|with logs that cannot be)"):
        ask(question, Script(whole=change))  # type: ignore[arg-type] # parametrized


def test_a_null_error_beside_a_result_is_no_error() -> None:
    """Erigon has answered so."""

    def with_null(answer: list[dict[str, object]]) -> object:
        return [part | {"error": None} for part in answer]

    assert ask(question, Script(whole=with_null)) == 3


def test_a_range_that_is_too_large_carries_the_suggestion() -> None:
    """The suggested range is an attribute, for whoever splits the range; no try is wasted."""
    message = "query returned more than 10000 results. Try with this block range [0x2, 0x3]."
    script = Script(errors={"eth_getLogs": {"code": -32005, "message": message}})

    with pytest.raises(RangeTooLarge, match="for example blocks 2 to 3") as caught:
        ask(question, script)

    assert caught.value.suggested == (2, 3)
    assert script.seen.count("eth_getLogs") == 1


def test_http_413_means_too_large() -> None:
    """QuickNode refuses a range with the status; its words, where it has some, come first."""
    body = b'{"id":1,"error":{"code":-32614,"message":"eth_getLogs is limited to a 2 range"}}'

    with pytest.raises(RangeTooLarge) as bare:
        ask(question, Script(forever=Reply(b"", 413)))
    with pytest.raises(RangeTooLarge) as worded:
        ask(question, Script(forever=Reply(body, 413)))

    assert bare.value.suggested is None
    assert worded.value.suggested == (2, 3)


def test_an_answer_beyond_our_limit_is_cut_off() -> None:
    """The rest is not read into memory; fewer blocks are asked for."""
    client = Client({"most_answer_bytes": 1_000})

    with pytest.raises(RangeTooLarge, match="exceeds our limit of 1,000 bytes"):
        client.ask(question, Script())


def _under_the_first_id(answer: Any) -> object:
    """Refuse more than two calls as Geth does: one error, with the id of the first call."""
    if len(answer) <= 2:
        return answer
    return {"id": answer[0]["id"], "error": {"code": -32600, "message": "batch too large"}}


def _cut_short(answer: Any) -> object:
    """Answer two calls and refuse the others, as Geth does where the answer is too large."""
    error = {"code": -32003, "message": "response too large"}
    return [*answer[:2], *({"id": part["id"], "error": error} for part in answer[2:])]


TOO_LARGE_BODY = b'{"error":{"code":-32007,"message":"Request is too big"}}'  # jsonrpsee's


@pytest.mark.parametrize(
    ("script", "settings"),
    [
        (Script(replies=[Reply(b"", 413)]), {}),
        (Script(replies=[Reply(TOO_LARGE_BODY, 413)]), {}),
        (Script(whole=_under_the_first_id), {}),
        (Script(whole=_cut_short), {}),
        (Script(), {"most_answer_bytes": 2_000}),
    ],
    ids=["413", "413 in words", "refused", "cut short", "our limit"],
)
def test_headers_that_are_too_many_at_once_come_in_parts(
    script: Script, settings: dict[str, int]
) -> None:
    """Four are refused, two and two are answered, without a pause."""
    client = Client({"tries": 3, **settings})

    headers = client.ask(lambda node: node.headers([1, 2, 3, 4]), script)

    assert headers["number"].to_list() == [1, 2, 3, 4]
    assert script.seen.count("eth_getBlockByNumber") == 4 + 2 + 2
    assert client.pauses == []


def test_one_header_that_is_too_large_is_refused() -> None:
    """There are no calls to leave out."""
    with pytest.raises(Refused, match="HTTP status 413"):
        ask(lambda node: node.headers([1, 2, 3]), Script(forever=Reply(b"", 413)))


def test_logs_and_their_header_are_not_parted() -> None:
    """Who takes no two calls at once cannot be believed to have no logs."""
    error = {"code": -32600, "message": "batch too large"}

    with pytest.raises(Refused, match="batch too large"):
        ask(question, Script(errors=dict.fromkeys(("eth_getBlockByNumber", "eth_getLogs"), error)))


def test_a_range_that_takes_too_long_is_too_large() -> None:
    """A time-out is tried once more, then taken as a range too long to answer."""
    client = Client({"timeout_seconds": 0.5})
    script = Script(delay_seconds=60)

    with pytest.raises(RangeTooLarge, match=r"no answer within 0\.5 s"):
        client.ask(question, script)

    assert script.seen.count("eth_getLogs") == 2


def test_one_block_that_takes_too_long_is_the_nodes_failure() -> None:
    """There is nothing to make smaller."""
    client = Client({"timeout_seconds": 0.5})

    with pytest.raises(NodeUnavailable, match="did not answer within"):
        client.ask(lambda node: node.logs(WANTED, 2, 2), Script(delay_seconds=60))


def test_a_node_behind_in_words_is_behind() -> None:
    """Reth says so instead of answering null."""
    error = {"code": -32602, "message": "block range extends beyond current head block"}

    with pytest.raises(NodeBehind, match="extends beyond"):
        ask(question, Script(errors={"eth_getLogs": error}))


def test_secrets_never_appear(caplog: pytest.LogCaptureFixture) -> None:
    """Not in an error, its causes, its traceback or any library's log, whatever the fault."""
    caplog.set_level(logging.DEBUG)
    client = Client({"timeout_seconds": 0.5, "tries": 1})
    echo = {"code": -32000, "message": f"unknown key {KEY} in /v2/{KEY}"}
    faults = [
        Script(forever=Reply(f"no such key {KEY}".encode(), 200)),
        Script(forever=Reply(f'{{"error":"{KEY}"}}'.encode(), 403)),
        Script(forever=Reply(b"", 301, {"Location": f"http://127.0.0.1/{KEY}"})),
        Script(errors={"eth_getLogs": echo}),
        Script(errors={"eth_getBlockByNumber": echo}),
        Script(results={"eth_getLogs": [log(2) | {"data": f"0x{KEY}"}]}),
        Script(results={"eth_getBlockByNumber": KEY}),
        Script(results={"eth_chainId": KEY}),
        Script(delay_seconds=60),
        Script(chain_id=2),
    ]

    for fault in faults:
        with pytest.raises(WorldError) as caught:
            client.ask(question, fault)
        shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
        assert KEY not in shown

    assert KEY not in caplog.text


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://127.0.0.1:8545/", "http://127.0.0.1:8545"),
        ("https://arb.example/v2/KEY", "https://arb.example/..."),
        ("https://user:pw@node.example:8443/?k=KEY", "https://node.example:8443/..."),
        ("https://node.example?apikey=KEY", "https://node.example/..."),
        ("https://node.example#KEY", "https://node.example/..."),
        ("https://0123456789abcdef0123.rpc.example/", "https://....rpc.example"),
        ("http://[::1]:8545/KEY", "http://[::1]:8545/..."),
        ("KEY", "(...)"),
        ("http://host:KEY/", "(...)"),
        ("", "(empty)"),
    ],
)
def test_a_url_is_shown_without_its_secrets(url: str, shown: str) -> None:
    """Scheme, host and port stay; path, query, user and key-like host labels go."""
    assert redacted(url) == shown


def test_an_endpoint_prints_redacted() -> None:
    """In f-strings, in repr, and inside containers."""
    endpoint = Endpoint(f"https://u:{KEY}@node.example/{KEY}")

    assert str(endpoint) == "https://node.example/..."
    assert repr([endpoint]) == "[Endpoint('https://node.example/...')]"


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://node.example/KEY", "node.example", "http://", "", "http://h:x/", "http://h:0/KEY"),
        *("http://h\x1b2J/KEY", "http://h\u202e/KEY", "http://h/KEY\udcff", "ws://\udcff:KEY@h/"),
    ],
)
def test_a_url_that_is_none_is_the_users_mistake(url: str) -> None:
    """The error shows no more of it than is safe."""
    with pytest.raises(UserError, match="is not an endpoint") as caught:
        Endpoint(url)

    assert "KEY" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "secret"),
    [
        ("https://node.example/v2/abc123def", "abc123def"),
        ("https://node.example/?apikey=abc123", "abc123"),
        ("https://node.example/abc%2F123def", "abc/123def"),
        ("https://name:pw@node.example/", "pw"),
        ("https://0123456789abcdef0123.rpc.example/", "0123456789abcdef0123"),
    ],
)
def test_a_text_is_scrubbed_of_every_part_that_may_be_a_key(url: str, secret: str) -> None:
    """A node or a library may repeat a part of the URL, in whatever spelling."""
    scrubbed = Endpoint(url).scrubbed(f"cannot use {secret} at {url}")

    assert secret not in scrubbed
    assert scrubbed.startswith("cannot use ... at ")
