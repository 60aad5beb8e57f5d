"""
Fills and trades of dYdX v4, as its indexer's API answers: `{"fills": […]}` and `{"trades": […]}`.

A fill is one side, and the account it is of is in the question, not in the answer. A trade is both
sides, without any account, and its market is in the question. A trade's id is the event's; the id
of a fill is the UUID of the event and the side. So what a trade tells of its taker, or of the maker
whose position was cut, is the same entry as that side's fill, whichever file comes first.

The price of a deleveraging is a quotient, of 20 places and more below a dollar: what is behind the
eighteenth is cut, as everywhere.

Format    https://docs.dydx.xyz/indexer-client/http
Identity  https://github.com/dydxprotocol/v4-chain (the indexer, fill-table.ts and uuid.ts)
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import msgspec
import polars as pl
from msgspec.structs import asdict

from indexer.errors import UserError
from indexer.imports.batches import (
    ENTRIES,
    REFUSED,
    Batch,
    Notes,
    checked,
    shortly,
    trade_place,
    unlike,
)
from indexer.imports.opening import opened
from indexer.imports.reading import NOT_JSON, About, Reading, not_json, of_another_kind

EXPECTED = "fills or trades of dYdX's indexer"

_NAMESPACE = UUID("0f9da948-a6fb-4c45-9edc-4685c3f3317d")
_CUT = "DELEVERAGED"


class Fill(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """One side of a trade, of the account that was asked for."""

    id: str
    side: str
    type: str
    market: str
    price: str
    size: str
    fee: str
    created_at: str
    created_at_height: str
    liquidity: str | None = None
    market_type: str | None = None
    subaccount_number: int = 0
    affiliate_rev_share: str | None = None
    order_id: str | None = None
    client_metadata: str | None = None
    builder_fee: str | None = None
    builder_address: str | None = None
    order_router_fee: str | None = None
    order_router_address: str | None = None
    position_size_before: str | None = None
    entry_price_before: str | None = None
    position_side_before: str | None = None


class Trade(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A trade, of the market that was asked for."""

    id: str
    side: str
    type: str
    price: str
    size: str
    created_at: str
    created_at_height: str


Row = dict[str, Any]
_NUMBERS = {
    "price": True,
    "size": True,
    "fee": False,
    "affiliate_rev_share": False,
    "builder_fee": False,
    "order_router_fee": False,
}
_TEXTS = ("account", "market", "side", "type", "liquidity")
_PLACE = ("id", "created_at", "created_at_height")
_SHAPE = {"line": pl.Int64(), **dict.fromkeys((*_PLACE, *_TEXTS, *_NUMBERS), pl.String())}


def read(path: Path, about: About) -> Reading:
    """
    Return what a file is, and its entries in batches.

    Raises:
        UserError: it is not of dYdX, or does not say of which account or market it is and nobody
            did.
        FileDamaged: it is cut off or not JSON.
    """
    with opened(path) as stream:
        try:
            told = msgspec.json.decode(stream.read())
        except NOT_JSON as error:
            # A file that goes on after its first value is whole, and JSON by the line.
            if "trailing characters" in str(error):
                raise of_another_kind(path, EXPECTED) from error
            raise not_json(path, 1, error) from error
    notes = Notes()
    match told:
        case {"fills": [*fills]}:
            said = _demanded(path, "account", about.account)
            return Reading(
                "fills", said, "fill", _batches(fills, Fill, _of_fill(said), notes), notes
            )
        case {"trades": [*trades]}:
            said = _demanded(path, "market", about.market)
            return Reading(
                "trades", said, "trade", _batches(trades, Trade, _of_trade(said), notes), notes
            )
    raise of_another_kind(path, EXPECTED)


def _demanded(path: Path, what: str, said: str | None) -> str:
    if said is None:
        raise UserError(
            f"{path} does not say of which {what} it is: expected --{what} beside what the indexer "
            "answers"
        )
    return said


def _batches(
    told: list[Any],
    shape: type[Fill] | type[Trade],
    row: Callable[[int, Any], Row],
    notes: Notes,
) -> Iterator[Batch]:
    known = {each.encode_name for each in msgspec.structs.fields(shape)}
    for first in range(0, max(len(told), 1), ENTRIES):
        rows, bad = [], []
        for number, one in enumerate(told[first : first + ENTRIES], first + 1):
            if not isinstance(one, dict):
                bad.append((number, "the entry is no object"))
                continue
            notes.meet(sorted(one.keys() - known), number)
            try:
                entry = msgspec.convert({key: one[key] for key in one.keys() & known}, shape)
                rows.append(row(number, entry))
            except (msgspec.ValidationError, ValueError) as error:
                bad.append((number, str(error)))
        yield _batch(pl.DataFrame(rows, _SHAPE), bad)


def _of_fill(account: str) -> Callable[[int, Fill], Row]:
    def row(line: int, fill: Fill) -> Row:
        whose = f"{account.lower()}/{fill.subaccount_number}"
        return asdict(fill) | {"line": line, "id": str(UUID(fill.id)), "account": whose}

    return row


def _of_trade(market: str) -> Callable[[int, Trade], Row]:
    def row(line: int, trade: Trade) -> Row:
        # What is told is the taker's side; of a deleveraging the fact is the maker, who is cut.
        whose = "MAKER" if trade.type == _CUT else "TAKER"
        side = trade.side
        if trade.type == _CUT:
            side = {"BUY": "SELL", "SELL": "BUY"}.get(side, side)
        name = str(uuid5(_NAMESPACE, f"{trade.id}-{whose}"))
        return asdict(trade) | {"line": line, "id": name, "market": market, "side": side}

    return row


_PRICE = pl.col("price").str.replace(r"^([0-9]+\.[0-9]{18})[0-9]+$", "$1")
_MOMENT = pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", strict=False)
_FAULTS = (
    unlike("side", "^(BUY|SELL)$", "BUY or SELL"),
    unlike("created_at_height", "^[0-9]{1,15}$", "a height"),
    pl.when(_MOMENT.is_null()).then(
        pl.format("created_at is {}: expected a moment in UTC", shortly("created_at"))
    ),
)


def _batch(read_rows: pl.DataFrame, bad: list[tuple[int, str]]) -> Batch:
    good, refused = checked(read_rows.with_columns(_PRICE), _NUMBERS, *_FAULTS)
    numbers = [int.from_bytes(UUID(each).bytes[:8], "big") >> 4 for each in good["id"]]
    placed = good.with_columns(pl.Series("trade", numbers, pl.Int64))
    return Batch(
        count=len(read_rows) + len(bad),
        place=placed.select(
            "line",
            block_number=pl.col("created_at_height").cast(pl.Int64),
            **trade_place(pl.col("trade"), pl.lit(value=False)),
            tx_text="id",
            block_timestamp=_MOMENT.cast(pl.Datetime("us")),
        ),
        fields=good.select(*_TEXTS, *_NUMBERS),
        refused=pl.concat([pl.DataFrame(bad, REFUSED, orient="row"), refused]),
    )
