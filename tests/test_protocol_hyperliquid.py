"""Hyperliquid: what is asked of HyperEVM's precompiles, byte by byte, and what answers mean."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from eth_abi.abi import encode
from goldens import NOON, built_facts, log, reasons, usd
from goldens import rows as golden_rows
from sync_rig import FIRST, blocks, rows, run

from indexer.chains import ARBITRUM, HYPEREVM
from indexer.facts import Facts, declared
from indexer.facts.questions import DUE, questions
from indexer.facts.reads import read_facts
from indexer.protocols import PROTOCOLS
from indexer.simulation.node import serve
from indexer.simulation.served import SIMULATED_CLIENT, CallKey, ServedChain
from indexer.sync import Job

HYPERLIQUID = PROTOCOLS["hyperliquid"]
MARK, ORACLE, INFO = (
    "0x0000000000000000000000000000000000000806",
    "0x0000000000000000000000000000000000000807",
    "0x000000000000000000000000000000000000080a",
)
BALANCE, SUPPLY = (
    "0x0000000000000000000000000000000000000801",
    "0x000000000000000000000000000000000000080d",
)
FUND = "0x" + "fe" * 20
BRIDGE = "hyperliquid/Bridge2"
HYPE_SUPPLY = "(uint64,uint64,uint64,uint64,(address,uint64)[])"
KNOWN = declared([HYPERLIQUID], HYPEREVM)
PERP_INFO = "(string,uint32,uint8,uint8,bool)"
COINS = {
    0: ("BTC", 5, 1_150_003),
    1: ("ETH", 4, 412_345),
    5: ("SOL", 2, 1_985_550),
    159: ("HYPE", 2, 458_721),
}


def perp(index: int) -> str:
    """Return a perp's index as the precompiles take it: one word, nothing in front."""
    return f"0x{index:064x}"


def told(index: int) -> dict[str, bytes]:
    """Return what the precompiles answer about a perp."""
    coin, decimals, price = COINS[index]
    info = encode([PERP_INFO], [(coin, 50 + index, decimals, 40, False)])
    return {"oraclePx": price.to_bytes(32), "perpAssetInfo": info}


def asked() -> pl.DataFrame:
    """Return what is asked at one block."""
    return asked_for("oracle_price")


def asked_for(read: str) -> pl.DataFrame:
    """Return what one read asks at one block."""
    due = pl.DataFrame([(read, 3_600, b"\xbb" * 32, NOON)], DUE, orient="row")
    return questions(HYPERLIQUID, HYPEREVM, KNOWN, due)


def facts_of(*answers: dict[str, bytes]) -> Facts:
    """Return the facts of the answers about each perp, in order."""
    flat = [answer for perp_answers in answers for answer in perp_answers.values()]
    return answered(asked(), flat)


def answered(asked_now: pl.DataFrame, flat: list[bytes]) -> Facts:
    """Return the facts of answers, in the order of what was asked."""
    reads = asked_now.with_columns(
        pl.Series("answer", flat, pl.Binary),
        state=pl.lit("available"),
        detail=pl.lit(None, pl.String),
    )
    return read_facts([HYPERLIQUID], HYPEREVM, reads, KNOWN)


def test_precompiles_are_asked_with_the_index_alone() -> None:
    """Price and description of each perp: two addresses, calldata of one word, no selector."""
    sent = asked().select(
        "log_index",
        "call",
        "0x" + pl.col("address").bin.encode("hex"),
        pl.col("input").bin.encode("hex"),
    )

    assert sent.rows() == [
        row
        for place, index in enumerate(COINS)
        for row in (
            (-1 - place, "oraclePx", ORACLE, perp(index)[2:]),
            (-1 - place, "perpAssetInfo", INFO, perp(index)[2:]),
        )
    ]


def test_prices_are_scaled_by_what_the_chain_says() -> None:
    """10^(6 - szDecimals) raw units are a dollar; name and szDecimals come from the same block."""
    found = facts_of(*map(told, COINS)).tables["oracle_updates"]

    columns = ("log_index", "feed", "asset", "quote", "oracle_price_quote", "evidence")
    assert found.select(*columns).rows() == [
        (-1, f"{ORACLE}/0", "BTC", "USD", usd("115000.3"), "state"),
        (-2, f"{ORACLE}/1", "ETH", "USD", usd("4123.45"), "state"),
        (-3, f"{ORACLE}/5", "SOL", "USD", usd("198.555"), "state"),
        (-4, f"{ORACLE}/159", "HYPE", "USD", usd("45.8721"), "state"),
    ]
    assert set(found["tx_hash"]) == {"0x" + "bb" * 32}
    assert set(found["block_timestamp"]) == {NOON}


def test_mark_prices_stand_beside_oracle_prices() -> None:
    """The same scale from another precompile, under a feed and a provider of its own."""
    prices = [1_150_010, 412_345, 1_985_551, 458_721]
    flat = [
        answer
        for index, price in zip(COINS, prices, strict=True)
        for answer in (price.to_bytes(32), told(index)["perpAssetInfo"])
    ]

    sent = asked_for("mark_price")
    found = answered(sent, flat).tables["oracle_updates"]

    assert set(sent["address"].bin.encode("hex")) == {MARK[2:], INFO[2:]}
    assert found.select("feed", "asset", "oracle_price_quote", "provider").rows()[:2] == [
        (f"{MARK}/0", "BTC", usd("115001"), "hyperliquid mark"),
        (f"{MARK}/1", "ETH", usd("4123.45"), "hyperliquid mark"),
    ]


def test_the_supply_is_what_is_not_burned() -> None:
    """HYPE is token 150 and counts 1e8; balances of others that are out of reach are not used."""
    sent = asked_for("supply")
    supply = (10**17, 99_979_000_000_000_000, 3 * 10**16, 5, [(FUND, 7), ("0x" + "11" * 20, 8)])

    found = answered(sent, [encode([HYPE_SUPPLY], [supply])]).tables["token_supplies"]

    assert questions_of(sent) == [("tokenSupply", SUPPLY, f"{150:064x}")]
    assert found.select("token", "supply_tokens", "dead_tokens", "evidence").rows() == [
        ("HYPE", usd("999790000"), 0, "state")
    ]


def test_what_the_fund_holds_is_its_state() -> None:
    """The whole balance, what is on hold included; it is no part of the supply's reading."""
    sent = asked_for("assistance_fund")
    balance = encode(["(uint64,uint64,uint64)"], [(4_345_960_114_000_000, 0, 1)])

    found = answered(sent, [balance]).tables["pool_states"]

    assert questions_of(sent) == [("spotBalance", BALANCE, "00" * 12 + "fe" * 20 + f"{150:064x}")]
    assert found.select("pool", "asset_token", "assets_tokens", "evidence").rows() == [
        (FUND, "HYPE", usd("43459601.14"), "state")
    ]


def questions_of(sent: pl.DataFrame) -> list[tuple[object, ...]]:
    """Return function, precompile and calldata of each question."""
    address, calldata = (pl.col(name).bin.encode("hex") for name in ("address", "input"))
    return sent.select("call", "0x" + address, calldata).rows()


def test_the_bridge_tells_what_comes_and_goes() -> None:
    """Deposits are transfers of USDC to it; withdrawals are requested, then final or invalid."""
    user, other = "0x" + "ab" * 20, "0x" + "cd" * 20
    usdc, bridge = (
        "0xaf88d065e77c8cc2239327c5edb3a432268e5831",
        "0x2df1c51e09aecf9cacb7bc98cb1742757f163df7",
    )
    transfer = {"from": user, "to": bridge, "value": 5_000_001}
    gone = {"user": user, "destination": other, "usd": 2_500_000, "nonce": 1, "message": b"m" * 32}
    invalid = (user, other, 700_000, 1, 1, 2, b"m" * 32)

    found = built_facts(
        "hyperliquid",
        ARBITRUM,
        [log("erc20/Token", "Transfer", usdc, **transfer)],
        [log("erc20/Token", "Transfer", usdc, **(transfer | {"to": other}))],
        [log("erc20/Token", "Transfer", usdc, **(transfer | {"value": 0}))],
        [log(BRIDGE, "RequestedWithdrawal", bridge, **gone, requestedTime=1)],
        [log(BRIDGE, "FinalizedWithdrawal", bridge, **gone)],
        [log(BRIDGE, "InvalidatedWithdrawal", bridge, withdrawal=invalid)],
    )

    flow = {"pool": bridge, "account": user, "asset_token": usdc}
    assert golden_rows(found, "pool_flows") == [
        flow | {"kind": "deposit", "asset_tokens": usd("5.000001")},
        flow | {"kind": "withdrawal_request", "asset_tokens": usd("2.5")},
        flow | {"kind": "withdrawal", "asset_tokens": usd("2.5")},
        flow | {"kind": "withdrawal_request_removed", "asset_tokens": usd("0.7")},
    ]
    assert reasons(found) == []


@pytest.mark.parametrize(
    ("call", "answer", "said"),
    [
        ("oraclePx", (1 << 64).to_bytes(32), "oraclePx: "),
        ("oraclePx", b"\x01", "oraclePx: "),
        ("perpAssetInfo", encode([PERP_INFO], [("BTC", 1, 5, 40, False)])[32:], "perpAssetInfo: "),
    ],
)
def test_an_answer_of_another_shape_is_refused(call: str, answer: bytes, said: str) -> None:
    """The row that it would have made is missing, with a reason; the others stand."""
    found = facts_of(told(0) | {call: answer}, told(1), told(5), told(159))

    ((event, fact, reason),) = reasons(found)
    assert (event, fact) == ("oracle_price", None)
    assert reason.startswith(said)
    assert found.tables["oracle_updates"]["asset"].to_list() == ["ETH", "SOL", "HYPE"]


def test_prices_are_read_from_a_node_without_a_log(tmp_path: Path) -> None:
    """Indexed over JSON-RPC from a chain that logs nothing: every 3,600th block has its prices."""
    calls: dict[CallKey, str] = {
        (None, address, perp(index)): "0x" + told(index)[call].hex()
        for index in COINS
        for address, call in ((ORACLE, "oraclePx"), (MARK, "oraclePx"), (INFO, "perpAssetInfo"))
    }
    chain = ServedChain(999, "hyperevm", SIMULATED_CLIENT, tuple(blocks(40)), calls)
    path = tmp_path / "a.duckdb"
    job = Job(path, HYPEREVM, (HYPERLIQUID,), PROTOCOLS, from_block=FIRST)
    with serve([chain]) as node:
        run(job, node.url)

    prices = rows(
        path,
        "select block_number, asset, oracle_price_quote from oracle_updates"
        " where provider = 'hyperliquid'",
    )
    assert FIRST % 3_600 == 0
    assert prices == [
        (FIRST, coin, Decimal(price).scaleb(decimals - 6))
        for coin, decimals, price in COINS.values()
    ]
    assert rows(path, "select count(*) from logs") == [(0,)]
    assert rows(path, "select from_block, to_block from coverage order by 1")[0][0] == FIRST
