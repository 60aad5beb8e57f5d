"""Faults of the way between client and node: no answer, half an answer, something else instead."""

from rig.exchange import Exchange, Reply

_PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>"
_JSON = {"Content-Type": "application/json"}


def server_error(exchange: Exchange) -> bool:
    """An HTTP status of the 500s, with a page, with nothing or with a JSON-RPC error."""
    body = exchange.dice.choice((_PAGE, b"", b'{"error":{"code":-32603,"message":"boom"}}'))
    exchange.reply = Reply(body, exchange.dice.choice((500, 502, 503, 504)), _JSON)
    return True


def slow(exchange: Exchange) -> bool:
    """An answer takes longer than the client waits."""
    exchange.sent.delay_seconds = exchange.habits.slow_seconds
    return True


def cut_connection(exchange: Exchange) -> bool:
    """The connection breaks before the answer."""
    exchange.sent.cut_after = 0
    return True


def cut_body(exchange: Exchange) -> bool:
    """The connection breaks in the middle of the answer."""
    exchange.sent.cut_after = exchange.dice.randrange(1, max(2, len(exchange.sent.body)))
    return True


def cut_json(exchange: Exchange) -> bool:
    """The JSON ends early, in an HTTP answer that is whole."""
    body = exchange.sent.body
    exchange.sent.body = body[: exchange.dice.randrange(1, max(2, len(body)))]
    return True


def web_page(exchange: Exchange) -> bool:
    """A web page comes instead of JSON, with HTTP status 200."""
    exchange.reply = Reply(_PAGE, 200, {"Content-Type": "text/html"})
    return True


def nothing(exchange: Exchange) -> bool:
    """An answer without a body."""
    exchange.reply = Reply(b"")
    return True
