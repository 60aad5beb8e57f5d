"""
Talking to nodes: the only part of perpscope that opens a socket.

Read `node` for what can be asked, `pool` and `retries` for who is asked and how often,
`batches` for how much in one request, `transport` and `answers` for the bytes in between, `frames`
and `checks` for what becomes of them, `sealing` for what recomputes, `wordings` and `failures` for
how nodes say no.
"""

from indexer.rpc.checks import Filter
from indexer.rpc.endpoint import Endpoint, redacted
from indexer.rpc.frames import HEADERS, LOGS, Header
from indexer.rpc.node import Node, Tag
from indexer.rpc.sealing import SEALED
from indexer.rpc.statistics import EndpointStatistics

__all__ = [
    "HEADERS",
    "LOGS",
    "SEALED",
    "Endpoint",
    "EndpointStatistics",
    "Filter",
    "Header",
    "Node",
    "Tag",
    "redacted",
]
