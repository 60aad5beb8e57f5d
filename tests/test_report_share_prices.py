"""Share prices of a pool that lends many tokens: a report does not mix their prices."""

from pathlib import Path

from handmade import table
from report_rows import MAPLE, part_of, written_market

from analytics.reports.sections.credit import credit

PRICE = MAPLE | {"pool": "0xpool", "supply_tokens": None}


def test_each_reserve_has_its_own_prices(tmp_path: Path) -> None:
    """Two tokens of one pool are two lines, and the lowest price of one is not the other's."""
    prices = table(
        "share_prices",
        PRICE | {"asset_token": "0xa", "share_price_tokens": 3},
        PRICE | {"asset_token": "0xb", "share_price_tokens": 7},
        PRICE | {"asset_token": "0xa", "share_price_tokens": 5},
    )

    page = part_of(written_market(tmp_path, share_prices=prices), credit).split("Share prices")[1]

    first, second = (
        next(line for line in page.splitlines() if f"| {token} |" in line)
        for token in ("0xa", "0xb")
    )
    assert [first.count(price) for price in ("3.0", "5.0", "7.0")] == [2, 1, 0]
    assert [second.count(price) for price in ("3.0", "5.0", "7.0")] == [0, 0, 3]


def test_what_is_read_at_a_block_comes_after_what_it_logs(tmp_path: Path) -> None:
    """The pool logs 3 and, read at the end of the same block, is at 5: the last price is 5."""
    read = {"log_index": -1, "share_price_tokens": 5, "evidence": "state"}
    prices = table("share_prices", PRICE | {"share_price_tokens": 3}, PRICE | read)

    page = part_of(written_market(tmp_path, share_prices=prices), credit)
    shown = page.split("Share prices")[1].split("\n**")[0]

    (line,) = (line for line in shown.splitlines() if "| 0xpool |" in line)
    assert [float(cell) for cell in line.split("|")[6:9]] == [3, 3, 5]
