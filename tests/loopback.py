"""Asking a node over HTTP with the standard library alone, so that no client of ours is trusted."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any


def answer(url: str, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
    """Return HTTP status, headers and body of the answer to a POST."""
    request = urllib.request.Request(  # noqa: S310 - tests only ask loopback
        url, body, {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as told:  # noqa: S310
            return told.status, dict(told.headers), told.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()


def post(url: str, body: bytes) -> tuple[int, bytes]:
    """Return HTTP status and body of the answer to a POST."""
    status, _, told = answer(url, body)
    return status, told


def send(url: str, request: object) -> Any:
    """Return the decoded answer to any JSON value."""
    return json.loads(post(url, json.dumps(request).encode())[1])


def ask(url: str, method: str, *params: object) -> Any:
    """Return the result of one call."""
    told = send(url, {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
    assert set(told) == {"jsonrpc", "id", "result"}, told
    return told["result"]


def refusal(url: str, method: str, *params: object) -> tuple[int, str]:
    """Return code and message of the error that answers one call."""
    told = send(url, {"jsonrpc": "2.0", "id": 7, "method": method, "params": list(params)})
    assert set(told) == {"jsonrpc", "id", "error"}, told
    return told["error"]["code"], told["error"]["message"]


def header(url: str, reference: str) -> Any:
    """Return the block object of a number, a tag or a hash."""
    by = "Hash" if len(reference) == 66 else "Number"
    return ask(url, f"eth_getBlockBy{by}", *[reference, False])
