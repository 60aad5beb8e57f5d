"""What a sound chain does between two requests; a client must end up with the chain that stays."""

from rig.exchange import Exchange


def mined(exchange: Exchange) -> bool:
    """Blocks are added before the answer."""
    if not exchange.is_about_blocks:
        return False
    exchange.live.mine(exchange.dice.randint(1, 6))
    return _seen(exchange)


def reorg(exchange: Exchange) -> bool:
    """The last blocks, all above finality, are replaced before the answer."""
    if not exchange.is_about_blocks:
        return False
    depth = exchange.dice.randint(1, exchange.live.state.finalized_lag - 1)
    exchange.live.reorg(depth, exchange.dice.randint(0, 2))
    return _seen(exchange)


def deep_reorg(exchange: Exchange) -> bool:
    """Blocks that were called final are replaced before the answer."""
    if not exchange.is_about_blocks:
        return False
    lag = exchange.live.state.finalized_lag
    exchange.live.reorg(exchange.dice.randint(lag + 1, 3 * lag), exchange.dice.randint(0, 2))
    return _seen(exchange)


def _seen(exchange: Exchange) -> bool:
    for call in exchange.calls:
        call.chain = exchange.live.state
    return True
