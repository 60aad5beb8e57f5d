"""What differs between the logs that are there and the logs that receipts prove."""

from collections import Counter

import polars as pl

_IDENTITY = ["block_number", "tx_hash", "log_index"]


def differences(logs: pl.DataFrame, truth: pl.DataFrame) -> dict[int, str]:
    """
    Return block number -> what is wrong with its logs, for blocks where something is.

    Args:
        logs: what is there; LOGS columns.
        truth: what must be there; likewise. Every column counts.
    """
    columns = truth.columns
    logs = logs.select(columns)
    lacking = _without(truth, logs, columns)
    is_first = pl.struct(_IDENTITY).is_first_distinct()
    once, again = logs.filter(is_first), logs.filter(~is_first)
    strange = pl.concat([_without(once, truth, columns), again])
    changed = lacking.join(strange, on=_IDENTITY, how="semi")
    counts = {
        "left out": Counter(_without(lacking, changed, _IDENTITY)["block_number"]),
        "added": Counter(_without(strange, changed, _IDENTITY)["block_number"]),
        "changed": Counter(changed["block_number"]),
    }
    return {
        block: ", ".join(
            f"{found[block]} {'log' if found[block] == 1 else 'logs'} {what}"
            for what, found in counts.items()
            if found[block]
        )
        for block in sorted({block for found in counts.values() for block in found})
    }


def _without(left: pl.DataFrame, right: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    return left.join(right, on=on, how="anti", nulls_equal=True)
