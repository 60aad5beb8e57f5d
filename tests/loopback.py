"""Asking a node over HTTP with the standard library alone, so that no client of ours is trusted."""

import json
import urllib.error
import urllib.request
from typing import Any


def post(url: str, body: bytes) -> tuple[int, bytes]:
    """Return HTTP status and body of the answer to a POST."""
    request = urllib.request.Request(  # noqa: S310 - tests only ask loopback
        url, body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read()


def send(url: str, request: object) -> Any:
    """Return the decoded answer to any JSON value."""
    return json.loads(post(url, json.dumps(request).encode())[1])


def ask(url: str, method: str, *params: object) -> Any:
    """Return the result of one call."""
    answer = send(url, {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
    assert set(answer) == {"jsonrpc", "id", "result"}, answer
    return answer["result"]


def refusal(url: str, method: str, *params: object) -> tuple[int, str]:
    """Return code and message of the error that answers one call."""
    answer = send(url, {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
    assert set(answer) == {"jsonrpc", "id", "error"}, answer
    return answer["error"]["code"], answer["error"]["message"]


def header(url: str, reference: str) -> Any:
    """Return the block object of a number, a tag or a hash."""
    by = "Hash" if len(reference) == 66 else "Number"
    return ask(url, f"eth_getBlockBy{by}", *[reference, False])
