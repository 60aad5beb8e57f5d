"""What a fill of Hyperliquid is in JSON."""

import msgspec


class Liquidation(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """Whose liquidation a fill is part of; both sides of the trade carry it."""

    liquidated_user: str | None = None
    mark_px: str | None = None
    method: str | None = None


class Fill(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    """A fill, as nodes and the API write it."""

    coin: str
    px: str
    sz: str
    side: str
    time: int
    start_position: str
    dir: str
    closed_pnl: str
    hash: str
    oid: int
    fee: str
    tid: int
    fee_token: str
    crossed: bool | None = None
    builder_fee: str | None = None
    liquidation: Liquidation | None = None
    builder: str | None = None
    cloid: str | None = None
    twap_id: int | None = None
    deployer_fee: str | None = None
    priority_gas: msgspec.Raw = msgspec.Raw(b"null")


class Block(msgspec.Struct):
    """A line of `node_fills_by_block`."""

    events: list[tuple[str, Fill]]
    block_number: int
    block_time: str
