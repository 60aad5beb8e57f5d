"""The simulated node as a server: paths, growth, reorgs, stopping."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
from loopback import answer, ask, header, post

from indexer.errors import WorldError
from indexer.simulation.blocks import Block, block
from indexer.simulation.node import HOST, Answer, run_forever, serve
from indexer.simulation.served import SIMULATED_CLIENT, ServedChain


def line(length: int, extra_data: bytes = b"", below: tuple[Block, ...] = ()) -> tuple[Block, ...]:
    """Return `below` and empty blocks on top of it, `length` in all."""
    made = list(below)
    while len(made) < length:
        parent = made[-1] if made else None
        made.append(block(parent, len(made), 1_700_000_000 + len(made), extra_data=extra_data))
    return tuple(made)


CHAIN = ServedChain(42161, "arbitrum", SIMULATED_CLIENT, line(5))
OTHER = ServedChain(10, "optimism", SIMULATED_CLIENT, line(3))

REPLAY_A_CHAIN = """
from indexer.simulation.node import run_forever
from indexer.simulation.served import ServedChain
chain = ServedChain(10, "optimism", "perpscope-replay/1", [])
run_forever([chain], 0, lambda line: print(line, flush=True))
print("stopped")
"""


def test_each_chain_has_its_path() -> None:
    """Slug and chain id both lead to a chain; `urls` names the slugs."""
    with serve([CHAIN, OTHER]) as node:
        assert ask(node.urls["arbitrum"], "eth_chainId") == "0xa4b1"
        assert ask(node.url + "42161", "eth_chainId") == "0xa4b1"
        assert ask(node.url + "optimism/", "eth_chainId") == "0xa"


@pytest.mark.parametrize("path", ["", "base"])
def test_an_unknown_path_names_the_chains(path: str) -> None:
    """With several chains the root belongs to none of them."""
    with serve([CHAIN, OTHER]) as node:
        status, body = post(node.url + path, b"{}")

        assert status == 404
        assert b"/arbitrum, /optimism" in body


def test_a_lone_chain_answers_at_the_root() -> None:
    """With one chain no path is needed."""
    with serve([CHAIN]) as node:
        assert ask(node.url, "eth_chainId") == ask(node.url + "arbitrum", "eth_chainId")


def test_only_loopback_is_bound() -> None:
    """The node listens on 127.0.0.1; even another loopback address finds nobody."""
    with serve([CHAIN]) as node:
        assert node.url == f"http://127.0.0.1:{node.port}/"
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", node.port), timeout=1)


def test_a_chain_grows_while_it_is_served() -> None:
    """A longer chain takes the place of the shorter one from the next call on."""
    with serve([CHAIN, OTHER]) as node:
        node.replace(replace(CHAIN, blocks=line(8, below=line(5))))

        assert ask(node.urls["arbitrum"], "eth_blockNumber") == "0x7"
        assert ask(node.urls["optimism"], "eth_blockNumber") == "0x2"


def test_a_reorg_replaces_the_tip() -> None:
    """Blocks above the fork are others, blocks below are the same, old hashes are unknown."""
    forked = replace(CHAIN, blocks=line(6, b"fork", below=line(3)))
    with serve([CHAIN]) as node:
        node.replace(forked)

        tip = header(node.url, "0x3")
        assert tip["hash"] == forked.blocks[3].hash != CHAIN.blocks[3].hash
        assert tip["parentHash"] == CHAIN.blocks[2].hash
        assert header(node.url, CHAIN.blocks[3].hash) is None


def test_an_intercept_may_answer_or_act() -> None:
    """A test can put any answer, or a reorg between two requests, in front of the node."""
    bodies: list[bytes] = []

    def intercept(slug: str, body: bytes) -> Answer | None:
        bodies.append(body)
        if len(bodies) == 1:
            return Answer(429, b"slow down", {"Retry-After": "1"})
        node.replace(replace(CHAIN, blocks=CHAIN.blocks[:2]))
        return None if slug == "arbitrum" else Answer(500, b"")

    with serve([CHAIN], intercept=intercept) as node:
        status, headers, body = answer(node.url, b"{}")
        assert (status, headers["Retry-After"], body) == (429, "1", b"slow down")
        assert ask(node.url, "eth_blockNumber") == "0x1"


def test_answers_are_json() -> None:
    """Clients that look at the content type find what they expect."""
    with serve([CHAIN]) as node:
        _, headers, _ = answer(node.url, b"{}")

        assert headers["Content-Type"] == "application/json"


async def first_frame(url: str, *said: str) -> aiohttp.WSMessage:
    """Return the first that a node says over a WebSocket after all this."""
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        for text in said:
            await socket.send_str(text)
        return await socket.receive(timeout=30)


def test_a_socket_speaks_text_and_answers_no_notification() -> None:
    """As real nodes do: what needs no answer gets no frame, and frames are of text."""
    call = '{"jsonrpc":"2.0","method":"eth_chainId"'
    with serve([CHAIN]) as node:
        first = asyncio.run(first_frame(node.url, call + "}", call + ',"id":1}'))

        assert first.type is aiohttp.WSMsgType.TEXT
        assert json.loads(first.data) == {"jsonrpc": "2.0", "id": 1, "result": "0xa4b1"}


def test_calls_are_counted() -> None:
    """Every call counts under its method, in a batch each of them."""
    with serve([CHAIN]) as node:
        ask(node.url, "eth_chainId")
        post(node.url, b'[{"id":1,"method":"eth_chainId"},{"id":2,"method":"eth_blockNumber"}]')

        assert node.calls == {"eth_chainId": 2, "eth_blockNumber": 1}


def test_a_taken_port_is_one_sentence() -> None:
    """The port, the reason and the way out, for the server in a thread and the one in front."""
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(WorldError, match=f"port {port} on 127.0.0.1 cannot be used"):
            run_forever([CHAIN], port)
        with pytest.raises(WorldError, match="or 0 for any"), serve([CHAIN], port):
            pass


def test_the_node_is_gone_after_the_block() -> None:
    """Nothing listens any more once the context ends."""
    with serve([CHAIN]) as node:
        port = node.port

    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port), timeout=1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_node_cleanly(root: Path, number: signal.Signals) -> None:
    """run_forever prints the URLs, serves, and returns on SIGINT and SIGTERM."""
    command = [sys.executable, "-c", REPLAY_A_CHAIN]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().removeprefix("optimism: ").strip()
        chain_id = ask(url, "eth_chainId")
        process.send_signal(number)
        rest = process.stdout.read()

    assert chain_id == "0xa"
    assert (process.returncode, rest) == (0, "stopped\n")
