"""Recorded logs: what real contracts emit is read to the last digit and never refused."""

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import eth_abi.abi
import polars as pl
import pytest
from abi_rows import value_at
from test_decode_keyed import GROUPS, SCHEMA, TOPIC0, TYPES

from indexer.decode.abi import EventAbi, event_abis
from indexer.decode.columns import decode
from indexer.decode.keyed import decode_keyed

Log = dict[str, Any]


def recorded(shared: Path, name: str) -> list[Log]:
    """The logs of a recording."""
    with gzip.open(shared / "data" / "logs" / f"{name}.jsonl.gz", "rt") as lines:
        return [json.loads(line) for line in lines]


def octets(text: str) -> bytes:
    """The bytes behind 0x hex."""
    return bytes.fromhex(text[2:])


def frame(logs: list[Log]) -> pl.DataFrame:
    """Logs as the decoder takes them."""
    rows = [
        {f"topic{place}": octets(topic) for place, topic in enumerate(log["topics"])}
        | {"data": octets(log["data"])}
        for log in logs
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def by_event_name(logs: list[Log]) -> Iterator[list[Log]]:
    """EventEmitter logs of one event at a time."""
    groups = defaultdict(list)
    for log in logs:
        if log["topics"] and log["topics"][0][2:] in TOPIC0.values():
            groups[log["topics"][1]].append(log)
    yield from groups.values()


def expected_items(log: Log) -> dict[str, Any]:
    """The plain items of a log by eth_abi, with the type of each."""
    _, _, groups = eth_abi.abi.decode(TYPES, octets(log["data"]))
    return {
        key: (kind, value)
        for kind, (plain, _) in zip(GROUPS, groups, strict=True)
        for key, value in plain
    }


@pytest.mark.parametrize("recording", ["gmx_v2", "gmx_v2_testnet"])
def test_every_recorded_event_emitter_log_decodes_like_eth_abi(
    shared: Path, recording: str
) -> None:
    """All items of all events, of two networks and several releases, and nothing refused."""
    for logs in by_event_name(recorded(shared, recording)):
        expected = [expected_items(log) for log in logs]
        keys = sorted({key for items in expected for key in items})

        decoded = decode_keyed(keys, frame(logs))

        assert decoded.reasons == {}
        for key, column in decoded.columns.items():
            assert column.present.tolist() == [key in items for items in expected]
            for row, items in enumerate(expected):
                if key in items:
                    kind, value = items[key]
                    assert value_at(column, row) == value
                    assert column.signed[row] == (kind == "int256")


def known_events(shared: Path) -> dict[tuple[str, int], set[EventAbi]]:
    """The events of the fact files by topic0 and topic count, without GMX v2's envelope."""
    events = defaultdict(set)
    for name in ("events_perps", "events_rwa"):
        for entry in json.loads((shared / "facts" / f"{name}.json").read_text()):
            abi = {"name": entry["event"], "inputs": entry.get("inputs") or []}
            event = next(iter(event_abis([abi]).values()))
            if not event.name.startswith("EventLog"):
                events[f"0x{event.topic0.hex()}", 1 + event.indexed_count].add(event)
    return events


def test_no_recorded_log_of_a_known_event_is_refused(shared: Path) -> None:
    """Twenty thousand logs of seventy events, old compilers and new, are all canonical."""
    logs = recorded(shared, "all_logs")
    events = known_events(shared)
    groups = defaultdict(list)
    for log in logs:
        if log["topics"] and (log["topics"][0], len(log["topics"])) in events:
            groups[log["topics"][0], len(log["topics"])].append(log)

    refused = {
        event.signature: reasons
        for key, some in groups.items()
        for event in events[key]
        if (reasons := decode(event, [], frame(some)).reasons)
    }

    assert refused == {}
    assert sum(map(len, groups.values())) > 20_000
