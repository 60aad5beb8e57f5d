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
