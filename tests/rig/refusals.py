"""Faults of nodes that will not answer, and say so."""

import json
from collections.abc import Sequence

from rig.exchange import Exchange, Json, Reply
from rig.sayings import BATCH_LIMITS, BREAKDOWNS, RANGE_LIMITS, RATE_LIMITS, UNSEEN, Saying

# A minute is waited for, an hour is not; a date of the past is a pause that is over.
_PAUSES = ("0", "1", "3600", "Wed, 21 Oct 2015 07:28:00 GMT", "soon")


def range_limit(exchange: Exchange) -> bool:
    """Ranges of more blocks than the node allows are refused, in some provider's words."""
    limit, only, found = exchange.habits.span_limit, exchange.habits.said_by, False
    sayings = [saying for saying in RANGE_LIMITS if only in {None, saying.said_by}]
    for call in exchange.of("eth_getLogs"):
        if call.range and call.range[1] - call.range[0] + 1 > limit:
            saying = exchange.dice.choice(sayings)
            call.refuse(saying.code, saying.text(*call.range, limit))
            found = True
    return found


def batch_limit(exchange: Exchange) -> bool:
    """Batches of more calls than the node allows are refused whole, in some provider's words."""
    limit, only = exchange.habits.call_limit, exchange.habits.said_by
    if len(exchange.calls) <= limit:
        return False
    saying = exchange.dice.choice([one for one in BATCH_LIMITS if only in {None, one.said_by}])
    error: Json = {"code": saying.code, "message": saying.text(0, 0, limit)}
    if saying.data is not None:
        error["data"] = saying.data.format(limit=limit)
    ids = [call.id for call in exchange.calls] if saying.under == "each" else [None]
    if saying.under == "first":
        ids = [exchange.calls[0].id]
    errors = [{"jsonrpc": "2.0", "id": each, "error": error} for each in ids]
    told = errors if saying.under == "each" else errors[0]
    exchange.reply = Reply(json.dumps(told).encode(), saying.status)
    return True


def too_many_requests(exchange: Exchange) -> bool:
    """HTTP 429 without a word about how long to wait."""
    exchange.reply = Reply(b"slow down", 429, {"Content-Type": "text/plain"})
    return True


def too_many_requests_retry_after(exchange: Exchange) -> bool:
    """HTTP 429 with Retry-After: nothing, a second, an hour, a date, or nonsense."""
    pause = exchange.dice.choice(_PAUSES)
    exchange.reply = Reply(b"", 429, {"Retry-After": pause})
    return True


def rate_limited_in_words(exchange: Exchange) -> bool:
    """Every call is refused because there are too many, in some provider's words."""
    return _said(exchange, RATE_LIMITS)


def unseen_in_words(exchange: Exchange) -> bool:
    """A node that has not seen a block says so, in some node's words, instead of null."""
    return exchange.is_about_blocks and _said(exchange, UNSEEN)


def breakdown_in_words(exchange: Exchange) -> bool:
    """Every call fails inside the node, in some node's words."""
    return _said(exchange, BREAKDOWNS)


def refused_as_a_whole(exchange: Exchange) -> bool:
    """A batch is answered with one error object that belongs to no call."""
    saying = exchange.dice.choice(RATE_LIMITS + BREAKDOWNS)
    error = f'{{"code":{saying.code},"message":"{saying.message}"}}'
    exchange.reply = Reply(f'{{"jsonrpc":"2.0","id":null,"error":{error}}}'.encode())
    return True


def _said(exchange: Exchange, sayings: Sequence[Saying]) -> bool:
    saying = exchange.dice.choice(sayings)
    for call in exchange.calls:
        low, high = call.range or (0, 0)
        call.refuse(saying.code, saying.text(low, high, 1))
    return True
