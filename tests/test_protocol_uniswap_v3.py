"""Uniswap v3: logs built from the ABI (synthetic), every recorded one, and the mean price."""

from collections import defaultdict
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import NOON, Built, log, reasons, rows, scaled, usd
from lending_rig import answered, built, expected_rows, read, recorded, recorded_rows
from recordings import address, captured, of_chain, words

from analytics.metrics.liquidity import depth
from indexer.chains import ETHEREUM
from indexer.decode.ticks import tick_price
from indexer.facts import declared
from indexer.facts.questions import DUE, questions
from indexer.protocols import PROTOCOLS
from indexer.spec import listed

SLUG = "uniswap_v3"
USDC_WETH = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640"
WETH_USDT = "0x11b815efb8f581194ae79006d24e0d814b7697f6"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
USDT = "0xdac17f958d2ee523a2206206994597c13d831ec7"
USER, OTHER = "0x" + "aa" * 20, "0x" + "dd" * 20
POOLS = {row["pool"].lower(): row for row in listed("uniswap_v3_pools")}
ANSWER = ["int56[]", "uint160[]"]


def pool_log(name: str, pool: str = USDC_WETH, **arguments: Any) -> Built:
    """Return a log of a pool."""
    return log("uniswap_v3/Pool", name, pool, **arguments)


def swap(
    pool: str, amount0: int, amount1: int, root: int, *, liquidity: int = 1, tick: int = 0
) -> Built:
    """Return a swap that leaves this root of the price."""
    return pool_log(
        "Swap",
        pool,
        sender=OTHER,
        recipient=USER,
        amount0=amount0,
        amount1=amount1,
        sqrtPriceX96=root,
        liquidity=liquidity,
        tick=tick,
    )


@pytest.mark.parametrize(
    ("pool", "root", "asset", "quote", "price"),
    [
        # 1 WETH = 2,500 USDC: 4e8 smallest WETH per smallest USDC, whose root is 20,000.
        (USDC_WETH, 20_000 * 2**96, "ETH", "USDC", "2500"),
        # 1 WETH = 2,500 USDT: 2.5e-9 smallest USDT per smallest WETH, whose root is 0.00005.
        (WETH_USDT, 5 * 2**96 // 100_000, "ETH", "USDT", "2499.999999"),
    ],
)
def test_a_swap_leaves_the_price_of_the_declared_token(
    pool: str, root: int, asset: str, quote: str, price: str
) -> None:
    """Whether the asset is the first or the second token, its price is in the other."""
    (row,) = rows(built(SLUG, {}, swap(pool, 1, -1, root)), "oracle_updates")

    assert (row["feed"], row["asset"], row["quote"], row["provider"]) == (
        pool,
        asset,
        quote,
        SLUG,
    )
    assert abs(row["oracle_price_quote"] - usd(price)) < usd("0.0001")


def test_a_pool_without_a_price_gives_a_reject() -> None:
    """A root of zero is no price of zero."""
    result = built(SLUG, {}, swap(USDC_WETH, 0, 0, 0))

    assert rows(result, "oracle_updates") == rows(result, "fees") == []
    assert [table for _, table, _ in reasons(result)] == ["oracle_updates", "pool_liquidity"]


@pytest.mark.parametrize(
    ("amounts", "token", "fee"),
    [((1_000_000_000, -(10**17)), USDC, "0.5"), ((-5, 2 * 10**18), WETH, "0.001")],
)
def test_a_fee_is_a_share_of_what_the_pool_received(
    amounts: tuple[int, int], token: str, fee: str
) -> None:
    """Positive amounts were paid in; 500 millionths of them are the fee, in that token."""
    result = built(SLUG, {}, swap(USDC_WETH, *amounts, 2**96))

    assert rows(result, "fees") == [
        {
            "market": USDC_WETH,
            "account": USER,
            "fee_kind": "swap",
            "fee_token": token,
            "fee_tokens": usd(fee),
            "split_basis": "none",
        }
    ]


RANGE: dict[str, Any] = {"owner": USER, "tickLower": -887_220, "tickUpper": 887_220, "amount": 9}


@pytest.mark.parametrize(
    ("name", "kind", "more"),
    [("Mint", "deposit", {"sender": OTHER}), ("Burn", "withdrawal", {})],
)
def test_liquidity_is_a_flow_of_each_token(name: str, kind: str, more: dict[str, str]) -> None:
    """Two tokens, two rows; both belong to the owner, who need not be the sender."""
    one = pool_log(name, **RANGE, amount0=2_500_000, amount1=10**15, **more)

    assert rows(built(SLUG, {}, one), "pool_flows") == [
        {
            "kind": kind,
            "pool": USDC_WETH,
            "account": USER,
            "asset_token": token,
            "asset_tokens": usd(tokens),
        }
        for token, tokens in ((USDC, "2.5"), (WETH, "0.001"))
    ]


@pytest.mark.parametrize(("amounts", "count"), [((5, 0), 1), ((0, 5), 1), ((0, 0), 0)])
def test_a_range_beside_the_price_holds_one_token_and_a_poke_none(
    amounts: tuple[int, int], count: int
) -> None:
    """Zero of a token is no flow of it."""
    one = pool_log("Burn", **RANGE, amount0=amounts[0], amount1=amounts[1])

    assert len(built(SLUG, {}, one).tables["pool_flows"]) == count


def test_what_is_collected_is_not_read() -> None:
    """Collect pays out what Burn took out of the range, and fees: it would count twice."""
    topics = {one.name for one in PROTOCOLS[SLUG].events}

    assert topics == {"Initialize", "Swap", "Mint", "Burn", "Flash"}


@pytest.mark.parametrize(
    ("paid", "token", "fee"), [((500_000, 0), USDC, "0.5"), ((0, 3 * 10**15), WETH, "0.003")]
)
def test_a_flash_loan_pays_in_the_tokens_it_lent(
    paid: tuple[int, int], token: str, fee: str
) -> None:
    """What was paid on top is the fee, per token."""
    one = pool_log(
        "Flash",
        sender=OTHER,
        recipient=USER,
        amount0=10**9,
        amount1=10**18,
        paid0=paid[0],
        paid1=paid[1],
    )

    assert rows(built(SLUG, {}, one), "fees") == [
        {
            "market": USDC_WETH,
            "account": USER,
            "fee_kind": "flash_loan",
            "fee_token": token,
            "fee_tokens": usd(fee),
            "split_basis": "none",
        }
    ]


# --- liquidity ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "sign", "more"),
    [("Mint", "added", 1, {"sender": OTHER}), ("Burn", "removed", -1, {})],
)
def test_a_change_of_liquidity_has_its_range(
    name: str, kind: str, sign: int, more: dict[str, str]
) -> None:
    """Ticks as the log says them, prices of WETH in USDT, liquidity by the mean of 18 and 6."""
    ticks = {"tickLower": -200_000, "tickUpper": -198_000, "amount": 25 * 10**11}
    one = pool_log(name, WETH_USDT, **RANGE | ticks, amount0=1, amount1=1, **more)

    (row,) = rows(built(SLUG, {}, one), "pool_liquidity")

    ends = [row.pop(f"{end}_price_quote") for end in ("lower", "upper")]
    assert [round(float(end), 6) for end in ends] == [2063.215669, 2519.992111]
    assert row == {
        "kind": kind,
        "pool": WETH_USDT,
        "account": USER,
        "token0": WETH,
        "token1": USDT,
        "tick_lower": -200_000,
        "tick_upper": -198_000,
        "liquidity_delta_tokens": sign * usd("2.5"),
    }


def test_a_range_over_all_prices_has_an_open_end() -> None:
    """Both ends are ticks; the price of the upper one is more than a column holds."""
    one = pool_log("Mint", sender=OTHER, **RANGE, amount0=1, amount1=1)

    (row,) = rows(built(SLUG, {}, one), "pool_liquidity")

    assert (row["tick_lower"], row["tick_upper"]) == (-887_220, 887_220)
    assert row["lower_price_quote"] == 0
    assert "upper_price_quote" not in row
    assert row["liquidity_delta_tokens"] == usd("0.000000000009")


def test_a_swap_says_where_a_pool_stands() -> None:
    """The price is of token0 in token1, whichever of them the pool is listed for."""
    one = swap(WETH_USDT, 1, -1, 5 * 2**96 // 100_000, liquidity=3 * 10**12, tick=-198_080)

    (row,) = rows(built(SLUG, {}, one), "pool_liquidity")

    assert abs(row.pop("price_quote") - 2500) < usd("0.0001")
    assert row == {
        "kind": "swap",
        "pool": WETH_USDT,
        "token0": WETH,
        "token1": USDT,
        "tick": -198_080,
        "liquidity_tokens": usd("3"),
    }


def test_a_pool_starts_with_a_price_and_without_liquidity() -> None:
    """What is active is measured zero, not unknown."""
    one = pool_log("Initialize", sqrtPriceX96=20_000 * 2**96, tick=198_079)

    (row,) = rows(built(SLUG, {}, one), "pool_liquidity")

    assert (row["kind"], row["liquidity_tokens"], row["tick"]) == ("start", 0, 198_079)
    assert row["price_quote"] == usd("0.0004")


def test_more_liquidity_than_a_column_holds_is_rejected() -> None:
    """A uint128 of millionths of tokens may be more than DECIMAL(38,18): never wrapped."""
    of_dollars = "0x3416cf6c708da44db2624d63ea0aaef7113527c6"
    arguments = RANGE | {"amount": 2**128 - 1}
    one = pool_log("Mint", of_dollars, sender=OTHER, **arguments, amount0=0, amount1=0)

    result = built(SLUG, {}, one)

    assert rows(result, "pool_liquidity") == []
    assert reasons(result) == [
        ("Mint", "pool_liquidity", "the value does not fit DECIMAL(38,18)"),
    ]


def test_a_burn_of_nothing_changes_no_liquidity() -> None:
    """A poke has a range, and no amount."""
    one = pool_log("Burn", **RANGE | {"amount": 0}, amount0=0, amount1=0)

    assert rows(built(SLUG, {}, one), "pool_liquidity") == []


def test_liquidity_has_the_mean_of_both_decimals() -> None:
    """The root of token0 times token1, for every listed pool."""
    for row in POOLS.values():
        both = int(row["decimals0"]) + int(row["decimals1"])
        assert 2 * int(row["liquidity_decimals"]) == both


# --- the mean price -------------------------------------------------------------------------------


def test_a_pool_is_asked_for_two_moments() -> None:
    """`observe` of 1,800 seconds ago and of now, as the array it takes."""
    due = pl.DataFrame([("mean_price", 30_000_000, b"\xbb" * 32, NOON)], DUE, orient="row")

    asked = questions(PROTOCOLS[SLUG], ETHEREUM, declared([PROTOCOLS[SLUG]], ETHEREUM), due)

    assert set(asked["input"]) == {
        keccak(text="observe(uint32[])")[:4] + encode(["uint32[]"], [[1_800, 0]])
    }
    assert len(asked) == len(POOLS) == 10


def observed(then: int, now: int) -> bytes:
    """Return what a pool answers: sums of ticks, and of seconds per liquidity."""
    return encode(ANSWER, [[then, now], [7, 9]])


@pytest.mark.parametrize(
    ("pool", "mean", "of_token1"),
    [(USDC_WETH, 198_000, True), (WETH_USDT, -198_000, False)],
)
def test_the_mean_price_is_that_of_the_mean_tick(pool: str, mean: int, *, of_token1: bool) -> None:
    """The difference of both sums over 1,800 seconds; direction and decimals as of a swap."""
    answers = {(pool, "observe"): observed(-5_000, -5_000 + 1_800 * mean)}

    (row,) = rows(answered(SLUG, "mean_price", answers, {}), "oracle_updates")

    array, _ = tick_price([mean], [12], is_inverse=of_token1)
    assert row["oracle_price_quote"] == array.to_pylist()[0]
    assert usd("2400") < row["oracle_price_quote"] < usd("2600")
    assert (row["asset"], row["provider"]) == ("ETH", "uniswap_v3_mean")
    assert row["feed"] == f"{pool}:mean"  # no series of two: a mean is late when the price falls


@pytest.mark.parametrize(("total", "mean"), [(1_799, 0), (-1, -1), (-1_801, -2)])
def test_a_mean_tick_is_rounded_down(total: int, mean: int) -> None:
    """Toward minus infinity, as the pool's own library does, not toward zero."""
    pool = "0x3416cf6c708da44db2624d63ea0aaef7113527c6"

    result = answered(SLUG, "mean_price", {(pool, "observe"): observed(0, total)}, {})

    array, _ = tick_price([mean], [0], is_inverse=False)
    assert result.tables["oracle_updates"]["oracle_price_quote"].to_list() == array.to_pylist()


def test_an_answer_about_other_moments_is_refused() -> None:
    """Three sums are not two; nothing is read of them."""
    answer = encode(ANSWER, [[1, 2, 3], [1, 2, 3]])

    result = answered(SLUG, "mean_price", {(USDC_WETH, "observe"): answer}, {})

    assert result.tables["oracle_updates"].is_empty()
    assert len(reasons(result)) == 1


# --- recorded -------------------------------------------------------------------------------------


def signed(word: int) -> int:
    """Return a word as two's complement."""
    return word - 2**256 if word >> 255 else word


def test_listed_tokens_are_those_that_moved(shared: Path) -> None:
    """In recorded swaps of every listed pool, its first and second token moved as stated."""
    moves: dict[str, set[tuple[str, str, int]]] = defaultdict(set)
    for one in captured(shared, "0xddf252ad"):
        if one["_chain"] == "ethereum" and len(one["topics"]) == 3:
            moved = (one["address"], words(one)[0])
            for side in (1, 2):
                moves[one["transactionHash"]].add((address(one["topics"][side]), *moved))
    swaps = recorded(shared, SLUG, "0xc42079f9")
    confirmed = {
        one["address"]
        for one in swaps
        if all(
            (one["address"], POOLS[one["address"]][f"token{at}"], abs(signed(words(one)[at])))
            in moves[one["transactionHash"]]
            for at in (0, 1)
        )
    }

    assert confirmed == {one["address"] for one in swaps} == set(POOLS)


def test_every_recorded_swap_is_a_price_between_its_ticks(shared: Path) -> None:
    """Root and tick of one log agree: the price is at least that of its tick, below the next's."""
    logs = recorded(shared, SLUG, "0xc42079f9")

    found = recorded_rows(SLUG, logs, {}, "oracle_updates", "feed", "oracle_price_quote")
    fees = recorded_rows_of_fees(logs)

    assert {place: row[0] for place, row in found.items()} == {
        place: row[0]
        for place, row in expected_rows(logs, [(one["address"],) for one in logs]).items()
    }
    prices = expected_rows(logs, [bounds(one) for one in logs])
    assert all(low <= found[at][1] <= high for at, (low, high) in prices.items())
    assert fees == len(logs) > 200


def recorded_rows_of_fees(logs: list[dict[str, Any]]) -> int:
    """Return how many swaps paid the fee that their own words say."""
    found = recorded_rows(SLUG, logs, {}, "fees", "fee_token", "fee_tokens")
    expected = []
    for one in logs:
        row, amounts = POOLS[one["address"]], [signed(word) for word in words(one)[:2]]
        at = 0 if amounts[0] > 0 else 1
        token, places = row[f"token{at}"], int(row[f"decimals{at}"])
        expected.append((token, scaled(amounts[at] * int(row["fee"]), places, 1_000_000)))
    assert found == expected_rows(logs, expected)
    return len(found)


def bounds(one: dict[str, Any]) -> tuple[Decimal, Decimal]:
    """Return the prices of the log's tick and of the next, low and high, one unit wider."""
    row, tick = POOLS[one["address"]], signed(words(one)[4])
    is_inverse = row["of"] == "token1"
    shift = int(row["decimals0"]) - int(row["decimals1"])
    places = [-shift if is_inverse else shift] * 2
    prices, _ = tick_price([tick, tick + 1], places, is_inverse=is_inverse)
    low, high = sorted(prices.to_pylist())
    # A root is rounded to 2**-96 and a tick's price is not.
    return low * (1 - Decimal("1e-12")), high * (1 + Decimal("1e-12"))


@pytest.mark.parametrize(
    ("topic0", "kind", "first"), [("0x7a53080b", "deposit", 2), ("0x0c396cd9", "withdrawal", 1)]
)
def test_every_recorded_range_is_a_flow_per_token(
    shared: Path, topic0: str, kind: str, first: int
) -> None:
    """Mints and burns of listed pools give as many rows as tokens that moved."""
    logs = recorded(shared, SLUG, topic0)
    expected = sorted(
        (
            kind,
            POOLS[one["address"]][f"token{at}"],
            address(one["topics"][1]),
            scaled(amount, int(POOLS[one["address"]][f"decimals{at}"])),
        )
        for one in logs
        for at in (0, 1)
        if (amount := words(one)[first + at])
    )

    found = []
    for one in logs:
        result = recorded_flows(one)
        found.extend(result.select("kind", "asset_token", "account", "asset_tokens").rows())

    assert sorted(found) == expected
    assert len(expected) >= len(logs) > 0


def recorded_flows(one: dict[str, Any]) -> pl.DataFrame:
    """Return the flows of one recorded log."""
    return read(SLUG, of_chain([one], "ethereum"), {}).tables["pool_flows"]


@pytest.mark.parametrize(
    ("topic0", "kind", "sign", "at"),
    [("0x7a53080b", "added", 1, 1), ("0x0c396cd9", "removed", -1, 0)],
)
def test_every_recorded_range_is_a_change_of_liquidity(
    shared: Path, topic0: str, kind: str, sign: int, at: int
) -> None:
    """Ticks are the indexed words and liquidity is the amount, by each pool's decimals."""
    logs = [one for one in recorded(shared, SLUG, topic0) if words(one)[at]]
    names = ("kind", "tick_lower", "tick_upper", "liquidity_delta_tokens")

    found = recorded_rows(SLUG, logs, {}, "pool_liquidity", *names)

    assert found == expected_rows(
        logs,
        [
            (
                kind,
                *(signed(int(topic, 16)) for topic in one["topics"][2:4]),
                scaled(sign * words(one)[at], int(POOLS[one["address"]]["liquidity_decimals"])),
            )
            for one in logs
        ],
    )
    assert len(found) == len(logs) > 5


@pytest.mark.parametrize(
    ("topic0", "first", "count"), [("0x98636036", 0, 2), ("0xc42079f9", 2, 200)]
)
def test_every_recorded_state_is_where_its_pool_stands(
    shared: Path, topic0: str, first: int, count: int
) -> None:
    """Root and tick as the words say; a pool that starts has no liquidity."""
    logs = recorded(shared, SLUG, topic0)
    names = ("tick", "liquidity_tokens", "price_quote")

    found = recorded_rows(SLUG, logs, {}, "pool_liquidity", *names)

    expected = []
    for one in logs:
        row, (root, *rest) = POOLS[one["address"]], words(one)[first:]
        liquidity = rest[0] if len(rest) > 1 else 0
        shift = int(row["decimals0"]) - int(row["decimals1"])
        units = Fraction(root, 2**96) ** 2 * Fraction(10) ** (shift + 18)
        standing = scaled(liquidity, int(row["liquidity_decimals"]))
        expected.append((signed(rest[-1]), standing, scaled(int(units), 18)))
    assert found == expected_rows(logs, expected)
    assert len(found) >= count


def test_the_depth_of_recorded_swaps_is_that_of_their_words(shared: Path) -> None:
    """From the words alone: a move by 2 % of the active liquidity, in smallest units first."""
    logs = recorded(shared, SLUG, "0xc42079f9")
    for one in logs[::4]:
        states = read(SLUG, of_chain([one], "ethereum"), {}).tables["pool_liquidity"]
        row, (root, liquidity) = POOLS[one["address"]], words(one)[2:4]
        with localcontext(prec=60):
            here, move = Decimal(root) / 2**96, Decimal("1.02").sqrt()
            ends = {"up": here * move, "down": here / move}
            expected = {
                (way, token): liquidity * abs(value) / Decimal(10) ** int(row[f"decimals{token}"])
                for way, end in ends.items()
                for token, value in ((0, 1 / end - 1 / here), (1, end - here))
            }

        found = depth(states.lazy()).collect()

        assert found["basis"].to_list() == ["active", "active"]
        for (way, token), tokens in expected.items():
            (value,) = found.filter(direction=way)[f"token{token}_tokens"]
            assert value == pytest.approx(float(tokens), rel=1e-9)
    assert len(logs) > 200
