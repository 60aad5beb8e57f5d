"""Functions of a JSON ABI: how a question is asked, and the answer read like the data of a log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.decode.abi import EventAbi, event_abis


@dataclass(frozen=True)
class FunctionAbi:
    """
    One function of an ABI.

    Attributes:
        question: its name and arguments.
        answer: what it returns, as the arguments of an anonymous event: one value under the
            function's name, several under `<function>.<output>`.
    """

    question: EventAbi
    answer: EventAbi

    @property
    def selector(self) -> bytes:
        """The first four bytes of the hash of its signature."""
        return self.question.topic0[:4]


def function_abis(entries: Sequence[Mapping[str, Any]]) -> dict[str, FunctionAbi]:
    """Return the functions of a JSON ABI by name."""
    return {
        str(entry["name"]): FunctionAbi(_event(entry, entry["inputs"]), _event(entry, _told(entry)))
        for entry in entries
        if entry.get("type") == "function"
    }


def _event(entry: Mapping[str, Any], parameters: Sequence[Mapping[str, Any]]) -> EventAbi:
    event = {"name": entry["name"], "inputs": parameters, "anonymous": True}
    return event_abis([event])[str(entry["name"])]


def _told(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    outputs, name = entry["outputs"], entry["name"]
    if len(outputs) == 1:
        return [{**outputs[0], "name": name}]
    return [
        {**output, "name": f"{name}.{output.get('name') or place}"}
        for place, output in enumerate(outputs)
    ]
