"""Vertex and its successor Nado: goldens of their one event, all synthetic."""

from typing import Any

import pytest
from goldens import Built, built_facts, log, rows, usd

from indexer.chains import (
    ABSTRACT,
    ARBITRUM,
    AVALANCHE,
    BASE,
    BERACHAIN,
    BLAST,
    INK,
    MANTLE,
    SEI,
    SONIC,
    Chain,
)
from indexer.facts import Facts
from indexer.protocols import PROTOCOLS

HOUSES: dict[Chain, tuple[str, str]] = {
    ARBITRUM: ("vertex", "0xae1ec28d6225dce2ff787dcb8ce11cf6d3ae064f"),
    BASE: ("vertex", "0xe46cb729f92d287f6459bda6899434e22ecc48ae"),
    BLAST: ("vertex", "0xc748532c202828969b2ee68e0f8487e69cc1d800"),
    MANTLE: ("vertex", "0x5bcfc8ad38ee1da5f45d9795acadf57d37fec172"),
    SEI: ("vertex", "0xae1510367aa8d500bdf507e251147ea50b22307f"),
    SONIC: ("vertex", "0x447c9aee069f6a13007eb9d2d2a4bb4ad92ab721"),
    ABSTRACT: ("vertex", "0x1385bf2f06165ca0621af047cf8666c256e1b1c2"),
    BERACHAIN: ("vertex", "0x9f90b17e7134af112c15437ec4521e4541156036"),
    AVALANCHE: ("vertex", "0x7069798a5714c5833e36e70df8aefaac7cec9302"),
    INK: ("nado", "0xd218103918c19d0a10cf35300e4cfafbd444c5fe"),
}
WAD = 10**18
TRADER, LIQUIDATOR = b"\xaa" * 20, b"\xbb" * 20
NAME = b"default".ljust(12, b"\0")
BTC_PERP, WETH = 2, 3


def liquidation(
    chain: Chain, product: int, amount: int, quote: int, *, is_spread: bool = False
) -> Built:
    """Return a Liquidation of this amount of a product at these dollars."""
    slug, house = HOUSES[chain]
    return log(
        f"{slug}/Clearinghouse",
        "Liquidation",
        house,
        liquidatorSubaccount=LIQUIDATOR + NAME,
        liquidateeSubaccount=TRADER + NAME,
        productId=product,
        isEncodedSpread=is_spread,
        amount=amount,
        amountQuote=quote,
    )


def made(chain: Chain, *logs: Built) -> Facts:
    """Return the facts of one transaction."""
    return built_facts(HOUSES[chain][0], chain, logs)


def expected(market: str, is_long: object, notional: str, size: str, price: str) -> dict[str, Any]:
    """Return the row of a liquidation."""
    return {
        "market": market,
        "account": "0x" + TRADER.hex(),
        "position_id": "0x" + (TRADER + NAME).hex(),
        "liquidator": "0x" + LIQUIDATOR.hex(),
        "is_long": is_long,
        "notional_usd": usd(notional),
        "size_tokens": usd(size),
        "execution_price_usd": usd(price),
        "shortfall_basis": "none",
        "derivation": "direct",
    }


@pytest.mark.parametrize("chain", list(HOUSES), ids=lambda chain: chain.slug)
@pytest.mark.parametrize(("sign", "is_long"), [(1, True), (-1, False)])
def test_a_perp_is_liquidated_by_the_sign_of_its_amount(
    chain: Chain, sign: int, is_long: bool
) -> None:
    """Half a bitcoin for 29,900 dollars; both carry the sign of the position."""
    result = made(chain, liquidation(chain, BTC_PERP, sign * WAD // 2, sign * 29_900 * WAD))

    assert rows(result, "liquidations") == [expected("2", is_long, "29900", "0.5", "59800")]
    assert rows(result, "position_changes") == [
        {
            "market": "2",
            "account": "0x" + TRADER.hex(),
            "position_id": "0x" + (TRADER + NAME).hex(),
            "cause": "liquidation",
            "is_long": is_long,
            "notional_delta_usd": usd("-29900"),
            "size_delta_tokens": usd("-0.5"),
            "execution_price_usd": usd("59800"),
        }
    ]


@pytest.mark.parametrize("chain", [ARBITRUM, INK], ids=lambda chain: chain.slug)
@pytest.mark.parametrize(("amount", "is_long"), [(3, False), (-3, True)])
def test_of_a_spread_the_perp_counts(chain: Chain, amount: int, is_long: bool) -> None:
    """Perp 4 above spot 3; a unit of a spread is a short perp."""
    spread = liquidation(chain, 4 << 16 | 3, amount * WAD, amount * 2_000 * WAD, is_spread=True)

    result = made(chain, spread)

    assert rows(result, "liquidations") == [expected("4", is_long, "6000", "3", "2000")]
    assert [row["market"] for row in rows(result, "position_changes")] == ["4"]


@pytest.mark.parametrize("chain", [ARBITRUM, INK], ids=lambda chain: chain.slug)
def test_spot_is_not_a_leveraged_position(chain: Chain) -> None:
    """Odd products are spot."""
    result = made(chain, liquidation(chain, WETH, 3 * WAD, 6_000 * WAD))

    assert [len(table) for table in result.tables.values() if len(table)] == []
    assert len(result.rejects) == 0


@pytest.mark.parametrize("slug", ["vertex", "nado"])
def test_every_clearinghouse_has_its_first_block(slug: str) -> None:
    """Before it nothing is asked for."""
    assert all(contract.from_block > 0 for contract in PROTOCOLS[slug].contracts)


@pytest.mark.parametrize(("slug", "count"), [("vertex", 60 * 9), ("nado", 67)])
def test_every_declared_market_is_a_perp(slug: str, count: int) -> None:
    """Even numbers, each once on each chain."""
    markets = PROTOCOLS[slug].markets

    assert {int(market.market) % 2 for market in markets} == {0}
    assert len({(market.chain, market.market) for market in markets}) == len(markets) == count
