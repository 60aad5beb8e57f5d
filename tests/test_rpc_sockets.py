"""The client over WebSocket: the same answers and the same errors as over HTTP."""

import asyncio
import logging
import subprocess
import sys
import traceback
from collections.abc import Callable

import pytest
from rpc_rig import KEY, WANTED, Client, Reply, Script, block

from indexer.chains import ETHEREUM
from indexer.errors import (
    NodeAnswerWrong,
    NodeUnavailable,
    PerpscopeError,
    RangeTooLarge,
    WorldError,
)
from indexer.rpc import Endpoint, Node
from indexer.rpc.failures import KeyRefused, Refused
from indexer.simulation.node import serve
from indexer.simulation.served import ServedChain


async def question(node: Node) -> int:
    """Ask for three blocks of logs; three logs are the right answer."""
    logs, _ = await node.logs(WANTED, 2, 4)
    return logs.height


def socket(**settings: object) -> Client:
    """Return a client that speaks over WebSocket."""
    return Client({"tries": 3, **settings}, scheme="ws")


def test_questions_one_after_the_other_share_a_socket() -> None:
    """A socket is kept for the next question."""
    script = Script()

    async def twice(node: Node) -> list[int]:
        """Ask the same question twice."""
        return [await question(node), await question(node)]

    assert socket().ask(twice, script) == [3, 3]
    assert script.sockets == 1


def test_questions_at_once_have_a_socket_each() -> None:
    """No answer waits behind a slower one, and no more sockets are opened than allowed."""
    script = Script(delay_seconds=0.05)

    async def many(node: Node) -> list[int]:
        """Ask the same question five times at once."""
        return await asyncio.gather(*(question(node) for _ in range(5)))

    assert socket(concurrency=2).ask(many, script) == [3] * 5
    assert script.sockets == 2


def test_a_socket_that_was_closed_while_idle_is_opened_again() -> None:
    """Nodes close idle sockets; that is no failure and needs no pause."""
    client = socket()
    script = Script(is_short=True)

    async def twice(node: Node) -> list[int]:
        """Ask twice, with time between for the close to arrive."""
        answers = [await question(node)]
        await asyncio.sleep(0.05)
        return [*answers, await question(node)]

    assert client.ask(twice, script) == [3, 3]
    assert client.pauses == []


def test_a_socket_that_breaks_is_replaced() -> None:
    """A close in place of the answer is a failure that passes."""
    client = socket()
    script = Script(replies=[Reply(b"going away", 1001)])

    assert client.ask(question, script) == 3
    assert len(client.pauses) == 1
    assert script.sockets == 2


def test_a_node_that_is_down_is_named() -> None:
    """Nothing listens on port 1 of loopback."""

    async def enter() -> None:
        """Enter a node without a server."""
        async with Node([Endpoint("ws://127.0.0.1:1/", tries=1)], ETHEREUM):
            pass

    with pytest.raises(NodeUnavailable, match=r"ws://127.0.0.1:1 cannot be reached"):
        asyncio.run(enter())


@pytest.mark.parametrize(
    ("handshake", "kind", "said"),
    [
        (Reply(b"", 401), KeyRefused, "HTTP status 401"),
        (Reply(b"", 502), NodeUnavailable, "HTTP status 502"),
        (Reply(b"", 429, {"Retry-After": "3600"}), NodeUnavailable, "a pause of 3600 s"),
        (Reply(b"", 200), NodeUnavailable, "HTTP status 200"),
        # Who follows it finds himself here again, and gives up after ten rounds.
        (Reply(b"", 302, {"Location": "/elsewhere"}), Refused, "HTTP status 302"),
    ],
)
def test_a_refused_handshake_says_why(handshake: Reply, kind: type[WorldError], said: str) -> None:
    """The HTTP answer in place of a socket means what it means over HTTP."""
    with pytest.raises(kind, match=said):
        socket().ask(question, Script(handshake=handshake))


@pytest.mark.parametrize("scheme", ["WS", "Ws"])
def test_a_scheme_is_read_in_any_spelling(scheme: str) -> None:
    """As over HTTP; the library that opens sockets knows one, and shows a URL that it refuses."""
    assert Client({"tries": 1}, scheme=scheme).ask(question, Script()) == 3


def test_the_reason_of_a_close_does_nothing_to_a_terminal() -> None:
    """It is a text of the node's as any other."""
    script = Script(forever=Reply(b"message too big \x1b[2J\x07", 1009))

    with pytest.raises(RangeTooLarge) as caught:
        socket().ask(question, script)

    assert str(caught.value).isprintable()


def test_a_close_for_the_rate_is_a_rate_limit() -> None:
    """Some providers have no other way of saying so on a socket."""
    script = Script(forever=Reply(b"rate limit exceeded", 1008))

    with pytest.raises(NodeUnavailable, match="limits our rate"):
        socket().ask(question, script)


def test_a_close_for_the_size_is_the_nodes() -> None:
    """Its limit is no limit of ours, although a socket that is closed repeats the code."""
    script = Script(forever=Reply(b"message too big", 1009))

    with pytest.raises(RangeTooLarge, match='closed the connection with code 1009 "message too bi'):
        socket().ask(question, script)


def test_an_answer_beyond_our_limit_is_cut_off() -> None:
    """The rest is not read into memory; fewer blocks are asked for."""
    with pytest.raises(RangeTooLarge, match="exceeds our limit of 1,000 bytes"):
        socket(most_answer_bytes=1_000).ask(question, Script())
    with pytest.raises(Refused, match="exceeds our limit of 30 bytes; use another endpoint"):
        socket(most_answer_bytes=30).ask(question, Script())


def test_a_range_that_takes_too_long_is_too_large() -> None:
    """A time-out is tried once more, then taken as a range too long to answer."""
    script = Script(delay_seconds=60)

    with pytest.raises(RangeTooLarge, match=r"no answer within 0\.3 s"):
        socket(timeout_seconds=0.3).ask(question, script)

    assert script.seen.count("eth_getLogs") == 2


def test_the_answer_to_a_question_given_up_is_not_taken_for_the_next() -> None:
    """A cancelled request takes its socket with it."""
    script = Script(delay_seconds=0.2)

    async def impatient(node: Node) -> int:
        """Give up one question, then ask another."""
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(node.headers([1]), 0.05)
        return int((await node.headers([2]))["number"][0])

    assert socket().ask(impatient, script) == 2


def test_who_answers_beside_the_question_loses_the_socket() -> None:
    """The next question does not find an answer that is one too late."""

    def shifted(answer: object) -> object:
        """Return the answer to another request, once."""
        script.whole = None
        return {"jsonrpc": "2.0", "id": 77, "result": block(1), "was": answer}

    script = Script(whole=shifted)

    with pytest.raises(NodeAnswerWrong, match="answered request ids 77"):
        socket(tries=1).ask(question, script)
    script.whole = shifted
    assert socket().ask(question, script) == 3


@pytest.mark.parametrize(
    "script",
    [
        lambda: Script(handshake=Reply(f"no {KEY}".encode(), 403)),
        lambda: Script(handshake=Reply(b"", 302, {"Location": f"http://127.0.0.1/{KEY}"})),
        lambda: Script(forever=Reply(f"bye {KEY}".encode(), 1008)),
        lambda: Script(forever=Reply(f"what is {KEY}".encode())),
        lambda: Script(errors={"eth_getLogs": {"code": -32000, "message": f"no {KEY}"}}),
        lambda: Script(chain_id=2),
        lambda: Script(delay_seconds=60),
    ],
)
def test_secrets_never_appear(
    script: Callable[[], Script], caplog: pytest.LogCaptureFixture
) -> None:
    """Not in an error, its causes, its traceback or any library's log, whatever the fault."""
    caplog.set_level(logging.DEBUG)

    with pytest.raises(PerpscopeError) as caught:
        socket(tries=1, timeout_seconds=0.3).ask(question, script())

    assert KEY not in "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    assert KEY not in caplog.text


def test_the_simulated_node_answers_over_websocket() -> None:
    """The same chain at the same address, with ws in place of http."""
    chain = ServedChain(ETHEREUM.chain_id, "ethereum", "perpscope-simulated/1", blocks=())

    async def version(url: str) -> str:
        """Ask what the node calls itself."""
        async with Node([Endpoint(url, tries=1)], ETHEREUM) as node:
            return await node.client_version()

    with serve([chain]) as served:
        assert asyncio.run(version(served.url.replace("http", "ws"))) == "perpscope-simulated/1"


def test_to_speak_over_a_socket_does_not_let_json_overflow_the_stack() -> None:
    """What web3 brings lets Python recurse 100,000 deep; then lists in lists end the process."""
    asked = (
        "import sys; depth = sys.getrecursionlimit(); from indexer.rpc import Endpoint; "
        "from indexer.rpc.transport import transport_to; "
        "transport_to(Endpoint('ws://127.0.0.1:1')); "
        "assert 'py_ecc' in sys.modules; assert sys.getrecursionlimit() == depth"
    )

    # A process of its own: tests have imported web3 long since.
    subprocess.run([sys.executable, "-c", asked], check=True)
