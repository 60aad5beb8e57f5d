"""Tokens that are bought back, Lido and Pendle: transfers, reports and supplies (synthetic)."""

from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from asked import answered
from goldens import LOGS, NOON, Built, built_facts, facts_of, frame, log, reasons, rows, usd

from indexer.chains import APECHAIN, AVALANCHE, BSC, ETHEREUM, POLYGON, Chain
from indexer.facts import Facts, Known, declared, discovered, facts, merged
from indexer.facts.routes import abi_entries
from indexer.protocols import PROTOCOLS
from indexer.tables import columns_of, empty

GEOD = "0xac0f66379a6d7801d7726d5a943356a172549adb"
CAKE = "0x0e09fabb73bd3ade0a17ecc321fd13a19e81ce82"
ASTER = "0x000ae314e2a2172a039b26378814c252734f556a"
LDO = "0x5a98fcbea516cf06857215779fd812ca3bef1b32"
STETH = "0xae7ab96520de3a18e5e111b5eaab095312d7fe84"
DEAD, ZERO = "0x000000000000000000000000000000000000dead", "0x" + "00" * 20
STAGE_5 = "0x4786927333c0ba8ab27ca41361adf33148c5301e"
STAGE_6 = "0x664827c71193018d7843f0d0f41a5d0d6dcebe0f"
RESERVE = "0x5e4969c41ca9f9831468b98328a370b7abd5a397"
TWAP = "0xa6f7444d2b92aa9f94a2165c77aaf2b671e63994"
SAFE = "0xf6f0732c1e9971497342c295141566e6f1a31e96"
AGENT = "0x3e40d73eb977dc6a537af587d48316fee66e9c8c"
UNI = "0x1f9840a85d5af5bf1d1762f925bdaddc4201f984"
FIREPIT = "0x0d5cd355e2abeb8fb1552f56c965b867346d6721"
TIMELOCK = "0x1a9c8182c09f50c8318d769245bea52c32be35bc"
ANYONE = "0x" + "ee" * 20
ETHER = 10**18


def transfer(token: str, sender: str, to: str, value: int) -> Built:
    """Return a transfer's log."""
    return log("erc20/Token", "Transfer", token, **{"from": sender, "to": to, "value": value})


@pytest.mark.parametrize(
    ("slug", "chain", "token", "evidence"),
    [("geodnet", POLYGON, GEOD, "event"), ("pancakeswap", BSC, CAKE, "assumed")],
)
def test_a_transfer_to_the_dead_address_is_a_burn(
    slug: str, chain: Chain, token: str, evidence: str
) -> None:
    """Whoever sends it; a transfer elsewhere, to the zero address, or of nothing is none."""
    result = built_facts(
        slug,
        chain,
        [
            transfer(token, ANYONE, DEAD, 125 * 10**16),
            transfer(token, DEAD, ANYONE, 7),
            transfer(token, ANYONE, ZERO, 7),
            transfer(token, ANYONE, DEAD, 0),
        ],
    )

    assert rows(result, "buybacks") == [
        {
            "bought_token": token,
            "bought_tokens": usd("1.25"),
            "burned_tokens": usd("1.25"),
            "destination_kind": "dead_burn",
        }
    ]
    assert result.tables["buybacks"]["evidence"].to_list() == [evidence]


def released(nonce: int) -> Built:
    """Return what Firepit logs when it has handed out fees."""
    taken = {"recipient": ANYONE, "assets": [STETH, ZERO]}
    return log("uniswap/Firepit", "Released", FIREPIT, nonce=nonce, **taken)


@pytest.mark.parametrize(
    ("after", "evidence"),
    [([released(7)], "event"), ([], "assumed")],
)
def test_uni_is_burned_for_fees_or_comes_from_a_bridge(after: list[Built], evidence: str) -> None:
    """Firepit tells of its burns; what bridges bring is a transfer and no more."""
    burn = transfer(UNI, ANYONE, DEAD, 4_000 * ETHER)

    result = built_facts("uniswap", ETHEREUM, [burn, *after])

    assert rows(result, "buybacks") == [
        {
            "bought_token": UNI,
            "bought_tokens": usd("4000"),
            "burned_tokens": usd("4000"),
            "destination_kind": "dead_burn",
        }
    ]
    assert result.tables["buybacks"]["evidence"].to_list() == [evidence]
    assert reasons(result) == []


def test_each_release_of_a_transaction_burns_its_own_uni() -> None:
    """Two in a row are two; what is sent to the dead address after the last is `assumed`."""
    burns = [transfer(UNI, ANYONE, DEAD, number * ETHER) for number in (4_000, 4_001, 5)]
    nothing = transfer(UNI, ANYONE, DEAD, 0)
    logs = [nothing, burns[0], released(7), burns[1], released(8), burns[2], nothing]

    table = built_facts("uniswap", ETHEREUM, logs).tables["buybacks"]

    assert table.select("bought_tokens", "evidence").sort("bought_tokens").rows() == [
        (usd("5"), "assumed"),
        (usd("4000"), "event"),
        (usd("4001"), "event"),
    ]


@pytest.mark.parametrize("after", [[], [released(7)]])
def test_what_governance_burns_of_its_own_is_no_buyback(after: list[Built]) -> None:
    """The treasury's 100 million were burned by vote; a transfer elsewhere burns nothing."""
    logs = [transfer(UNI, TIMELOCK, DEAD, 10**8 * ETHER), transfer(UNI, ANYONE, ZERO, 7), *after]

    result = built_facts("uniswap", ETHEREUM, logs)

    assert rows(result, "buybacks") == []
    assert reasons(result) == []


def test_what_arrives_in_asters_wallets_is_held() -> None:
    """Both stages count, and what is bought for the reserve; what is only moved does not."""
    result = built_facts(
        "aster",
        BSC,
        [
            transfer(ASTER, ANYONE, STAGE_5, ETHER),
            transfer(ASTER, ANYONE, STAGE_5, 0),
            transfer(ASTER, ANYONE, STAGE_6, 2 * ETHER),
            transfer(ASTER, STAGE_6, ANYONE, 4 * ETHER),
            transfer(ASTER, STAGE_5, STAGE_6, ETHER),
            transfer(ASTER, TWAP, RESERVE, 3 * ETHER),
            transfer(ASTER, ANYONE, RESERVE, ETHER),
            transfer(ASTER, STAGE_5, RESERVE, ETHER),
            transfer(ASTER, RESERVE, STAGE_6, ETHER),
        ],
    )

    held = {"bought_token": ASTER, "destination_kind": "treasury"}
    assert rows(result, "buybacks") == [
        {**held, "bought_tokens": usd("1")},
        {**held, "bought_tokens": usd("2")},
        {**held, "bought_tokens": usd("3")},
    ]


def test_recorded_buybacks_of_aster_add_up(shared: Path) -> None:
    """Every recorded transfer counts once, to the last wei; stage 5 gives its true total."""
    told = pl.read_parquet(shared / "data/buybacks/aster_buyback_transfers_bsc.parquet")
    logs = pl.DataFrame([recorded(row) for row in told.iter_rows(named=True)], LOGS, orient="row")

    bought = rows(facts_of("aster", BSC, logs.unique(["tx_hash", "log_index"])), "buybacks")

    assert len(bought) == told.select("transaction_hash", "log_index").n_unique()
    by_wei = sum(int(wei) for wei in told["value_wei"])
    assert sum((row["bought_tokens"] for row in bought), Decimal(0)) == Decimal(by_wei).scaleb(-18)
    fifth = told.filter(pl.col("to_address") == STAGE_5)
    assert round(sum(int(wei) for wei in fifth["value_wei"]) / ETHER) == 21_115_174


def recorded(row: dict[str, object]) -> tuple[object, ...]:
    """Return a transfer of the public table as a log."""
    sender, to = (str(row[name])[2:].rjust(64, "0") for name in ("from_address", "to_address"))
    return (
        row["block_number"],
        0,
        row["log_index"],
        b"\xbb" * 32,
        bytes.fromhex(str(row["transaction_hash"])[2:]),
        bytes.fromhex(str(row["token"])[2:]),
        abi_entries("erc20/Token")["Transfer"].topic0,
        bytes.fromhex(sender),
        bytes.fromhex(to),
        None,
        int(str(row["value_wei"])).to_bytes(32),
    )


def test_lido_buys_for_its_treasury() -> None:
    """Only what the Safe sends to the Agent; what others give the Agent was not bought."""
    result = built_facts(
        "lido",
        ETHEREUM,
        [
            transfer(LDO, SAFE, AGENT, 3 * ETHER),
            transfer(LDO, ANYONE, AGENT, 7),
            transfer(LDO, SAFE, ANYONE, 7),
            transfer(LDO, SAFE, AGENT, 0),
        ],
    )

    assert rows(result, "buybacks") == [
        {"bought_token": LDO, "bought_tokens": usd("3"), "destination_kind": "treasury"}
    ]
    assert result.tables["buybacks"]["evidence"].to_list() == ["assumed"]


AAVE = "0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9"
AFC_SAFE = "0x22740deba78d5a0c24c58c740e3715ec29de1bfa"
COLLECTOR = "0x464c71f6c2f760dda6093dcb91c24c39e5d6e18c"


def test_aave_counts_what_comes_from_outside_the_dao() -> None:
    """What the Safe gets from others was bought; what another pocket of the DAO sends was not."""
    result = built_facts(
        "aave",
        ETHEREUM,
        [
            transfer(AAVE, ANYONE, AFC_SAFE, 3 * ETHER),
            transfer(AAVE, COLLECTOR, AFC_SAFE, 7),
            transfer(AAVE, AFC_SAFE, ANYONE, 7),
            transfer(AAVE, ANYONE, AFC_SAFE, 0),
        ],
    )

    assert rows(result, "buybacks") == [
        {"bought_token": AAVE, "bought_tokens": usd("3"), "destination_kind": "treasury"}
    ]


def rebased(fee_shares: int) -> Built:
    """Return a report after which 9 million shares are worth 10 million ether."""
    return log(
        "lido/StETH",
        "TokenRebased",
        STETH,
        reportTimestamp=1_748_779_200,
        timeElapsed=86_400,
        preTotalShares=8_999_990 * ETHER,
        preTotalEther=9_999_000 * ETHER,
        postTotalShares=9_000_000 * ETHER,
        postTotalEther=10_000_000 * ETHER,
        sharesMintedAsFees=fee_shares,
    )


def test_a_report_mints_the_fee_as_shares() -> None:
    """Its worth is shares times ether over shares, cut off once; the price is ether per share."""
    result = built_facts("lido", ETHEREUM, [rebased(10 * ETHER)])

    assert rows(result, "fees") == [
        {
            "market": STETH,
            "fee_kind": "management",
            "fee_token": STETH,
            "fee_tokens": Decimal("11.111111111111111111"),
            "split_basis": "none",
        }
    ]
    assert rows(result, "share_prices") == [
        {
            "pool": STETH,
            "asset_token": "ETH",
            "share_price_tokens": Decimal("1.111111111111111111"),
            "supply_tokens": usd("9000000"),
            "nav_at": NOON,
        }
    ]


def test_a_report_without_a_profit_has_no_fee() -> None:
    """The price is told all the same."""
    result = built_facts("lido", ETHEREUM, [rebased(0)])

    assert rows(result, "fees") == []
    assert len(rows(result, "share_prices")) == 1


def test_no_share_of_lidos_operators_is_stated() -> None:
    """Each module has its own, that of the curated one fell in December 2025."""
    assert PROTOCOLS["lido"].policies == ()


def test_what_stvaults_settle_is_a_fee_in_ether() -> None:
    """What is paid now, not the sums since the vault began; nothing paid is no fee."""
    settled = [
        log(
            "lido/VaultHub",
            "LidoFeesSettled",
            "0x1d201be093d847f6446530efb0e8fb426d176709",
            vault=ANYONE,
            transferred=paid,
            cumulativeLidoFees=9 * ETHER,
            settledLidoFees=8 * ETHER,
        )
        for paid in (125 * 10**16, 0)
    ]

    assert rows(built_facts("lido", ETHEREUM, settled), "fees") == [
        {
            "market": ANYONE,
            "fee_kind": "service",
            "fee_token": "ETH",
            "fee_tokens": usd("1.25"),
            "split_basis": "none",
        }
    ]


# --- Pendle ---------------------------------------------------------------------------------------

YIELD_FACTORY = "0x70ee0a6db4f5a2dc4d9c0b57be97b9987e75bafd"
MARKET_FACTORY = "0x27b1dacd74688af24a64bd3c9c1b143118740784"
LIMIT_ROUTER = "0x000000000000c9b3e2c3ec88b1b4c0cd853f4321"
LATER_FACTORY = "0x1a6fcc85557bc4fb7b534ed835a03ef056552d52"
SY, PT, YT, MARKET, LATER, REWARD = ("0x" + f"{number:02x}" * 20 for number in range(0xA1, 0xA7))


def created(*, sy: str = SY) -> Built:
    """Return the creation of a yield contract."""
    return log(
        "pendle/YieldContractFactory",
        "CreateYieldContract",
        YIELD_FACTORY,
        SY=sy,
        expiry=1_800_000_000,
        PT=PT,
        YT=YT,
    )


def listed(market: str, factory: str, **later: int) -> Built:
    """Return the creation of a market, by a factory of either generation."""
    types = "address,address,int256,int256" + ",uint256" * len(later)
    name = f"CreateNewMarket({types})"
    arguments = {"market": market, "PT": PT, "scalarRoot": 1, "initialAnchor": 2, **later}
    return log("pendle/MarketFactory", name, factory, **arguments)


def of_pendle(*logs: Built) -> Facts:
    """Return the facts of one transaction that may announce children itself."""
    pendle = PROTOCOLS["pendle"]
    table = frame(logs, block=23_000_000)
    known = declared([pendle], ETHEREUM)
    children = discovered([pendle], ETHEREUM, table, known)
    tokens = [(1, SY, "SY", 6, "call"), (1, REWARD, "RWD", 18, "call")]
    told = pl.DataFrame(tokens, columns_of("tokens"), orient="row")
    known = merged(known, Known(told, empty("markets"), children))
    headers = pl.DataFrame({"number": [23_000_000], "timestamp": [NOON]})
    return facts([pendle], ETHEREUM, table, headers.cast({"timestamp": pl.Datetime("us")}), known)


def swapped(market: str) -> Built:
    """Return a swap whose fee is 2.5 SY, 2 of them for the protocol."""
    return log(
        "pendle/Market",
        "Swap",
        market,
        caller=ANYONE,
        receiver=ANYONE,
        netPtOut=-5,
        netSyOut=4,
        netSyFee=2_500_000,
        netSyToReserve=2_000_000,
    )


def test_a_market_is_found_through_its_principal_token() -> None:
    """SY of PT and YT from the yield contract; SY of the market from its PT, in any generation."""
    result = of_pendle(
        created(), listed(MARKET, MARKET_FACTORY), listed(LATER, LATER_FACTORY, lnFeeRateRoot=3)
    )

    assert result.markets.select("market", "index_token", "parent").rows() == [
        (PT, SY, None),
        (YT, SY, None),
        (MARKET, SY, PT),
        (LATER, SY, PT),
    ]


def test_fees_are_in_the_markets_own_yield_token() -> None:
    """The whole swap fee, not the protocol's part; fees on interest and rewards beside it."""
    result = of_pendle(
        created(),
        listed(LATER, LATER_FACTORY, lnFeeRateRoot=3),
        swapped(LATER),
        log("pendle/YieldToken", "CollectInterestFee", YT, amountInterestFee=1_250_000),
        log("pendle/YieldToken", "CollectInterestFee", YT, amountInterestFee=0),
        log("pendle/YieldToken", "CollectRewardFee", YT, rewardToken=REWARD, amountRewardFee=0),
        log(
            "pendle/YieldToken",
            "CollectRewardFee",
            YT,
            rewardToken=REWARD,
            amountRewardFee=5 * ETHER,
        ),
    )

    assert [
        (row["market"], row.get("account"), row["fee_kind"], row["fee_token"], row["fee_tokens"])
        for row in rows(result, "fees")
    ] == [
        (LATER, ANYONE, "swap", SY, usd("2.5")),
        (YT, None, "interest", SY, usd("1.25")),
        (YT, None, "interest", REWARD, usd("5")),
    ]


@pytest.mark.parametrize(("fee", "count"), [(1_933, 1), (0, 0)])
def test_whoever_fills_a_limit_order_pays_in_the_yield_tokens_sy(fee: int, count: int) -> None:
    """Amounts of a recorded order; paid in another token, in SY all the same; nothing is no row."""
    filled = log(
        "pendle/LimitRouter",
        "OrderFilledV2",
        LIMIT_ROUTER,
        orderHash=bytes(32),
        orderType=2,
        YT=YT,
        token=REWARD,
        netInputFromMaker=90_128,
        netOutputToMaker=463_231_918,
        feeAmount=fee,
        notionalVolume=463_141_790,
        maker=SAFE,
        taker=ANYONE,
    )

    found = rows(of_pendle(created(), filled), "fees")

    assert [
        (row["market"], row["account"], row["fee_kind"], row["fee_token"], row["fee_tokens"])
        for row in found
    ] == [(YT, ANYONE, "swap", SY, usd("0.001933"))] * count


def test_every_chain_with_markets_has_the_limit_router() -> None:
    """Its fees are no market's: a chain without it would tell of swaps alone."""
    chains: dict[str, set[str]] = {}
    for contract in PROTOCOLS["pendle"].contracts:
        chains.setdefault(contract.abi, set()).add(contract.chain.slug)

    assert chains["pendle/LimitRouter"] == chains["pendle/MarketFactory"]


def test_a_market_of_an_unknown_principal_token_is_kept_back() -> None:
    """Its fees wait for the yield contract's creation, with the reason."""
    result = of_pendle(listed(LATER, LATER_FACTORY, lnFeeRateRoot=3), swapped(LATER))

    assert reasons(result) == [("Swap", "fees", f"the index token of {LATER} is not known")]


# --- supplies -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slug", "chain", "token"),
    [
        ("geodnet", POLYGON, GEOD),
        ("pancakeswap", BSC, CAKE),
        ("aster", BSC, ASTER),
        ("lido", ETHEREUM, LDO),
        ("uniswap", ETHEREUM, UNI),
        ("aave", ETHEREUM, "0x7fc66500c84a76ad7e9c93437bfc5ac33e2ddae9"),
        ("gmx_v2", AVALANCHE, "0x62edc0692bd897d2295872a9ffcac5425011c661"),
        ("maple", ETHEREUM, "0x643c4e15d7d62ad0abec4a9bd4b001aa3ef52d66"),
        ("pendle", ETHEREUM, "0x808507121b80c02388fad14726482e061b8da827"),
        ("gains", POLYGON, "0xe5417af564e4bfda1c483642db72007871397896"),
        ("gains", APECHAIN, "0xe31c676d8235437597581b44c1c4f8a30e90b38a"),
    ],
)
def test_a_supply_is_read_with_what_is_out_of_reach(slug: str, chain: Chain, token: str) -> None:
    """TotalSupply counts what lies at the dead address; both are told in whole tokens."""
    told = {("totalSupply", token): 1_000 * ETHER, ("balanceOf", token): 25 * ETHER}

    found = answered(slug, chain, "supply", told)

    assert rows(found, "token_supplies") == [
        {"token": token, "supply_tokens": usd("1000"), "dead_tokens": usd("25")}
    ]
    assert found.tables["token_supplies"]["evidence"].to_list() == ["state"]


def test_maker_and_sky_are_read_each() -> None:
    """Two tokens were bought over the years; each has a supply, asked in the order of addresses."""
    mkr, sky = (
        "0x9f8f72aa9304c8b593d555f12ef6589cc3a579a2",
        "0x56072c95faa701256059aa122697b133aded9279",
    )
    told = {
        ("totalSupply", mkr): 900_000 * ETHER,
        ("balanceOf", mkr): ETHER,
        ("totalSupply", sky): 23_000_000_000 * ETHER,
        ("balanceOf", sky): 2 * ETHER,
    }

    found = answered("maker", ETHEREUM, "supply", told)

    columns = ("token", "supply_tokens", "dead_tokens")
    assert found.tables["token_supplies"].select(*columns).rows() == [
        ("0x56072c95faa701256059aa122697b133aded9279", usd("23000000000"), usd("2")),
        ("0x9f8f72aa9304c8b593d555f12ef6589cc3a579a2", usd("900000"), usd("1")),
    ]
