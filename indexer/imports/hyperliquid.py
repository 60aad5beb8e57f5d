"""
Fills of Hyperliquid: what nodes write (`node_fills`, `node_fills_by_block`), and `userFills`.

A fill is one side of a trade; a trade is two fills with one `tid`. By block a line is
`{"block_number": …, "events": [[user, fill], …]}`, else `[user, fill]`; `userFills` is one array
of fills, all of the account that was asked for.

Of the tid, which is a hash of 50 bits, and the millisecond follows the identity of a fill. Spot
dust conversions all have tid 0: there account and order take its place.

A position of a perp is printed as a float (3135809.3999999999). It has at most six decimals, as its
orders have, so it is rounded to them: else closing all of it would leave a ten-billionth.

Format  https://github.com/hyperliquid-dex/node#l1-transaction-and-fill-data
Sizes   https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/tick-and-lot-size
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import msgspec
import polars as pl

from indexer.errors import UserError
from indexer.imports.batches import (
    ENTRIES,
    REFUSED,
    Batch,
    Notes,
    checked,
    not_above_zero,
    numbered,
    outside,
    shortly,
    trade_place,
    unlike,
)
from indexer.imports.hyperliquid_shape import Block, Fill, Liquidation
from indexer.imports.opening import opened
from indexer.imports.reading import (
    NOT_JSON,
    About,
    Reading,
    first_token,
    not_json,
    of_another_kind,
)

EXPECTED = "node_fills, node_fills_by_block or userFills of Hyperliquid"

# 2020-09-13 to 2100-01-01 in milliseconds: anything else is another unit.
_EARLIEST, _LATEST = 1_600_000_000_000, 4_102_444_800_000

_NUMBERS = {
    "px": False,
    "sz": True,
    "start_position": False,
    "closed_pnl": False,
    "fee": False,
    "builder_fee": False,
    "deployer_fee": False,
    "mark_px": False,
}

_BLOCK = msgspec.json.Decoder(Block)
_LINE = msgspec.json.Decoder(tuple[str, Fill])
_KNOWN = {each.encode_name for each in msgspec.structs.fields(Fill)}
_KNOWN_OF_LIQUIDATION = {each.encode_name for each in msgspec.structs.fields(Liquidation)}

Entry = tuple[int, str, Fill]
"""Line, account and fill."""


def read(path: Path, about: About) -> Reading:
    """
    Return what a file is, and its fills in batches.

    Raises:
        UserError: it is not of Hyperliquid, or it does not say whose fills these are and nobody
            did.
        FileDamaged: it is cut off or not JSON; found while the batches are read as well.
    """
    with opened(path) as stream:
        start = first_token(stream)
    notes = Notes()
    if start == b"{":
        _demand_block(path)
        return Reading("node_fills_by_block", None, "fill", _lines(path, notes, _of_block), notes)
    if start == b'["':
        return Reading("node_fills", None, "fill", _lines(path, notes, _of_line), notes)
    if start in (b"[{", b"[]"):
        return Reading(
            "user_fills", _account(path, about), "fill", _array(path, about, notes), notes
        )
    raise of_another_kind(path, EXPECTED)


def _demand_block(path: Path) -> None:
    with opened(path) as stream:
        try:
            if "events" in msgspec.json.decode(next(iter(stream), b"")):
                return
        except NOT_JSON as error:
            raise not_json(path, 1, error) from error
    raise of_another_kind(path, EXPECTED)


def _account(path: Path, about: About) -> str:
    if about.account is None:
        raise UserError(
            f"{path} does not say whose fills these are: expected --account 0x… beside userFills"
        )
    return about.account.lower()


def _lines(path: Path, notes: Notes, of: Any) -> Iterator[Batch]:
    gathered: list[Entry] = []
    bad: list[tuple[int, str]] = []
    with opened(path) as stream:
        for number, line in enumerate(stream, 1):
            if line.isspace():
                continue
            try:
                gathered += of(line, number, notes, bad)
            except NOT_JSON as error:
                raise not_json(path, number, error) from error
            # Both sides of a trade stay in one batch, so that each can say who the other is.
            if len(gathered) > ENTRIES and _trade(gathered[-1]) != _trade(gathered[-2]):
                yield _batch(gathered[:-1], bad)
                gathered, bad = gathered[-1:], []
    yield _batch(gathered, bad)


def _of_block(line: bytes, number: int, notes: Notes, bad: list[tuple[int, str]]) -> list[Entry]:
    try:
        return [(number, user, fill) for user, fill in _BLOCK.decode(line).events]
    except msgspec.ValidationError:
        told = msgspec.json.decode(line)
        events = told.get("events") if isinstance(told, dict) else None
        if not isinstance(events, list):
            bad.append((number, "the line is no block of fills"))
            return []
        return [entry for event in events for entry in _slowly(event, number, notes, bad)]


def _of_line(line: bytes, number: int, notes: Notes, bad: list[tuple[int, str]]) -> list[Entry]:
    try:
        return [(number, *_LINE.decode(line))]
    except msgspec.ValidationError:
        return _slowly(msgspec.json.decode(line), number, notes, bad)


def _array(path: Path, about: About, notes: Notes) -> Iterator[Batch]:
    account = _account(path, about)
    with opened(path) as stream:
        fills = _document(path, stream)
    for first in range(0, max(len(fills), 1), ENTRIES):
        gathered: list[Entry] = []
        bad: list[tuple[int, str]] = []
        for number, fill in enumerate(fills[first : first + ENTRIES], first + 1):
            gathered += _slowly([account, fill], number, notes, bad)
        yield _batch(gathered, bad)


def _document(path: Path, stream: IO[bytes]) -> list[Any]:
    try:
        found: list[Any] = msgspec.json.decode(stream.read(), type=list)
    except NOT_JSON as error:
        raise not_json(path, 1, error) from error
    return found


def _slowly(event: object, number: int, notes: Notes, bad: list[tuple[int, str]]) -> list[Entry]:
    """Return the entry if it is one, unknown fields aside; else say what is wrong with it."""
    match event:
        case [str(user), dict(told)]:
            notes.meet(sorted(told.keys() - _KNOWN), number)
            fill = {name: value for name, value in told.items() if name in _KNOWN}
        case _:
            bad.append((number, "the entry is no pair of an account and a fill"))
            return []
    if isinstance(of := fill.get("liquidation"), dict):
        notes.meet(
            sorted(f"liquidation.{name}" for name in of.keys() - _KNOWN_OF_LIQUIDATION), number
        )
        fill["liquidation"] = {key: of[key] for key in of.keys() & _KNOWN_OF_LIQUIDATION}
    try:
        return [(number, user, msgspec.convert(fill, Fill))]
    except msgspec.ValidationError as error:
        bad.append((number, str(error)))
        return []


def _batch(gathered: list[Entry], bad: list[tuple[int, str]]) -> Batch:
    good, refused = checked(_frame(gathered), _NUMBERS, *_FAULTS)
    return Batch(
        count=len(gathered) + len(bad),
        place=good.select(
            "line",
            block_number="time",
            **trade_place(pl.col("trade"), pl.col("side") == "A"),
            tx_text=pl.col("hash").str.to_lowercase(),
            block_timestamp=pl.from_epoch("time", time_unit="ms").cast(pl.Datetime("us")),
        ),
        fields=_fields(good),
        refused=pl.concat([pl.DataFrame(bad, REFUSED, orient="row"), refused]),
    )


_IS_OUTCOME = pl.col("coin").str.contains("^[#+]")
_IS_LIQUIDATION = pl.col("dir").str.starts_with("Liquidated") | (
    pl.col("method").is_not_null() & (pl.col("dir") != "Auto-Deleveraging")
)
_FAULTS = (
    # What did not come true settles at nothing.
    pl.when(~_IS_OUTCOME).then(not_above_zero("px")),
    unlike("px", "^[0-9]", "a number that is not below zero"),
    unlike("side", "^[AB]$", "A or B"),
    unlike("user", "^0x[0-9a-fA-F]{40}$", "an address"),
    unlike("liquidated_user", "^0x[0-9a-fA-F]{40}$", "an address"),
    unlike("hash", "^0x[0-9a-fA-F]{64}$", "a hash"),
    outside("time", _EARLIEST, _LATEST),
    numbered("tid"),
    pl.when(_IS_LIQUIDATION & pl.col("liquidated_user").is_null()).then(
        pl.format("dir is {} and nothing says who was liquidated", shortly("dir"))
    ),
)


def _frame(gathered: list[Entry]) -> pl.DataFrame:
    fills = [fill for _, _, fill in gathered]
    of = [fill.liquidation for fill in fills]
    texts = ("coin", "px", "sz", "side", "start_position", "dir", "closed_pnl", "hash", "fee")
    return pl.DataFrame(
        {
            "line": pl.Series([line for line, _, _ in gathered], dtype=pl.Int64),
            "user": pl.Series([user for _, user, _ in gathered], dtype=pl.String),
            **{
                name: pl.Series([getattr(fill, name) for fill in fills], dtype=pl.String)
                for name in (*texts, "fee_token", "builder_fee", "deployer_fee")
            },
            "time": pl.Series([fill.time for fill in fills], dtype=pl.Int64, strict=False),
            "tid": pl.Series([fill.tid for fill in fills], dtype=pl.Int64, strict=False),
            "trade": pl.Series([_trade(entry) for entry in gathered], dtype=pl.Int64, strict=False),
            **{
                name: pl.Series([one and getattr(one, name) for one in of], dtype=pl.String)
                for name in ("liquidated_user", "mark_px", "method")
            },
        }
    )


def _trade(entry: Entry) -> int:
    _, user, fill = entry
    if fill.tid:
        return fill.tid
    return int.from_bytes(sha256(f"{user.lower()} {fill.oid}".encode()).digest()[:8], "big") >> 5


_KIND = (
    pl.when(pl.col("coin").str.contains("^@|/"))
    .then(pl.lit("spot"))
    .when(_IS_OUTCOME)
    .then(pl.lit("outcome"))
    .when(pl.col("coin").str.contains(":", literal=True))
    .then(pl.lit("deployed perp"))
    .otherwise(pl.lit("perp"))
)


def _fields(good: pl.DataFrame) -> pl.DataFrame:
    trade = ("time", "coin", "tid")
    user = pl.col("user").str.to_lowercase()
    liquidated = pl.col("liquidated_user").str.to_lowercase()
    other = pl.coalesce(
        *(
            pl.when(
                pl.all_horizontal(pl.col(name) == pl.col(name).shift(step) for name in trade)
                & (pl.col("side") != pl.col("side").shift(step))
            ).then(user.shift(step))
            for step in (1, -1)
        )
    )
    # Floats in places; a perp counts 1e-6 at most, HYPE 1e-8.
    start = pl.col("start_position")
    held = pl.when(_KIND == "spot").then(start.round(8)).otherwise(start.round(6))
    return good.with_columns(start_position=held).select(
        *_NUMBERS,
        *("coin", "side", "dir", "fee_token", "method"),
        user=user,
        liquidated_user=liquidated,
        is_liquidated_user=(user == liquidated).fill_null(value=False),
        counterparty=other,
        kind=_KIND,
        tells_deployer_fee=pl.col("deployer_fee").is_not_null(),
    )
