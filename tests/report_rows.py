"""A small indexed market for report tests: two chains, gaps, rejects, unknown values, bad names."""

from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
from handmade import at, table, write_database

from analytics import load
from analytics.reports import Limits, parts
from analytics.reports.context import Context
from analytics.reports.manifest import versions
from analytics.reports.pages import markdown
from analytics.reports.report import Report, report
from analytics.reports.scope import Scope, checked
from analytics.reports.sections.covered import warnings

HOSTILE = "<b>x</b>|*"
EVIL = "<img src=x onerror=alert(1)>\"'><script>alert(2)</script>\x1b[31m\u202e=cmd|'/c calc'!A1"
GMX: dict[str, object] = {"chain_id": 42161, "protocol": "gmx_v2", "version": "v2.1"}
MAPLE: dict[str, object] = {"chain_id": 1, "protocol": "maple", "version": "v2"}
LINK: dict[str, object] = {"chain_id": 42161, "protocol": "chainlink", "version": "v3"}
VOID = {"meta", "br", "img", "link", "input", "hr"}


def market(kind: str = "simulated") -> dict[str, pl.DataFrame]:
    """Return tables of a market with a little of everything; `kind` is its origin."""
    ends = {"declaration_digest": "d1", "logs_digest": "ab", "to_block_hash": "0xff"}
    final = ends | {"proof": "fetched", "finality": "finalized"}
    return _venue() | {
        "coverage": table(
            "coverage",
            GMX | final | {"from_block": 100, "to_block": 149},
            GMX | final | {"from_block": 161, "to_block": 200},
            LINK | final | {"from_block": 100, "to_block": 200},
            MAPLE | final | {"from_block": 10, "to_block": 20},
        ),
        "origins": table(
            "origins",
            *({"chain_id": one, "client_version": "n", "kind": kind} for one in (1, 42161)),
        ),
        "blocks": table(
            "blocks",
            *(
                {"chain_id": chain, "number": number, "timestamp": at(moment)}
                | {"hash": b"h", "parent_hash": b"p"}
                for chain, number, moment in (
                    *((42161, 100, -60), (42161, 200, 90_000)),
                    *((1, 10, -60), (1, 20, 90_000)),
                )
            ),
        ),
        "rejects": table(
            "rejects",
            GMX | {"block_number": 120, "event": "E", "fact": "adls", "reason": "no decimals"},
        ),
        "markets": table(
            "markets",
            GMX
            | {"market": "0xeth", "symbol": HOSTILE, "asset_class": "crypto", "known_by": "event"},
        ),
        "policies": table(
            "policies",
            GMX
            | {"kind": "buyback_share", "value": "0.27", "valid_from": at(days=-9)}
            | {"source": "https://example.org/policy", "basis": "governance"},
        ),
    }


def whole_coverage() -> pl.DataFrame:
    """Return coverage that holds every fact of the market, final and proven."""
    said = {"from_block": 0, "to_block": 200, "finality": "finalized", "proof": "receipts"}
    said |= {"declaration_digest": "d", "logs_digest": "l", "to_block_hash": "0x"}
    return table("coverage", *(each | said for each in (GMX, LINK, MAPLE)))


def _venue() -> dict[str, pl.DataFrame]:
    split = GMX | {"market": "0xeth", "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}
    liquidated = GMX | {"market": "0xeth", "is_long": True}
    price = {"asset": "ETH", "quote": "USD"}
    return {
        "fees": table(
            "fees",
            split | {"fee_usd": "10.000000000000000001", "supply_side_usd": "6.000000000000000001"},
            split | {"fee_usd": 10, "block_timestamp": at(7200)},
            GMX | {"fee_usd": 5, "split_basis": "none", "block_timestamp": at(86_400)},
        ),
        "buybacks": table("buybacks", GMX | {"spent_usd": 2, "bought_tokens": 4}),
        "liquidations": table(
            "liquidations",
            liquidated | {"notional_usd": 1_234_567, "block_timestamp": at(30)},
            liquidated | {"notional_usd": 100, "is_long": False, "account": "0xb"},
            liquidated | {"notional_usd": None, "account": "0xb"},
        ),
        "open_interest": table(
            "open_interest",
            GMX | {"market": "0xeth", "is_long": True, "open_interest_usd": 900},
            GMX
            | {"market": "0xeth", "is_long": True, "open_interest_usd": 500}
            | {"block_timestamp": at(7200)},
        ),
        "oracle_updates": table(
            "oracle_updates",
            LINK | price | {"feed": "0xc", "oracle_price_quote": 2000},
            GMX | price | {"feed": "0xg", "oracle_price_quote": 1950, "block_timestamp": at(60)},
            LINK | price | {"feed": "0xc", "oracle_price_quote": 1960, "block_timestamp": at(120)},
        ),
        "credit_events": table("credit_events", MAPLE | {"kind": "payment", "interest_tokens": 7}),
    }


def written_market(folder: Path, **replaced: pl.DataFrame) -> Path:
    """Write the market into a database, some of its tables replaced, and return its path."""
    return write_database(folder / "market.duckdb", market() | replaced)


def silenced(block: int) -> dict[str, pl.DataFrame]:
    """Return ten logs of a contract up to block 140, and that it got other code at two blocks."""
    given = {"chain_id": 42161, "tx_index": 0, "block_hash": b"h", "data": b""}
    given |= {"address": b"\xc0" * 20, "topic0": b"e"}
    told = [{"block_number": each, "tx_hash": each.to_bytes(32)} for each in range(131, 141)]
    changed = [{"block_number": each, "release": str(each)} for each in (130, block)]
    return {
        "logs": table("logs", *(given | each for each in told)),
        "upgrades": table("upgrades", *(GMX | each for each in changed)),
    }


def report_of(path: Path, limits: Limits | None = None) -> Report:
    """Return the report of a database, not yet written."""
    with load.database(path) as con:
        return report(checked(Scope(con, limits or Limits())))


def part_of(
    path: Path, *sections: Callable[[Context], parts.Section], limits: Limits | None = None
) -> str:
    """Return a page of a database as Markdown: its stamp, its warnings and some sections."""
    with load.database(path) as con:
        context = Context(Scope(con, limits or Limits()))
        page = parts.Page(
            title="A part",
            extent="",
            stamp=context.stamp,
            is_simulated=context.is_simulated,
            kinds={},
            warnings=warnings(context),
            cards=(),
            sections=tuple(section(context) for section in sections),
            methods=(),
            limits=context.scope.limits,
        )
    return markdown(page, versions())


class Page(HTMLParser):
    """An HTML page: its text, every tag with its attributes, and the tags left open."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag and that it is open."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag that closes itself."""
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Close the innermost open tag, which must be this one."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data
