"""Sky: logs built from the ABIs (synthetic), notes of calls, and every recorded one."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from goldens import Built, frame, log, reasons, rows, scaled, usd
from lending_rig import built, expected_rows, noted, read, recorded, recorded_rows
from recordings import address, captured, of_chain, place, words

from indexer.chains import ETHEREUM
from indexer.facts import Known, declared, discovered, known
from indexer.facts.asking import narrow_filters
from indexer.protocols import PROTOCOLS
from indexer.tables import empty

SLUG = "maker"
DAI = "0x6b175474e89094c44da98b954eedeac495271d0f"
USDS = "0xdc035d45d973e3ec169d2276ddab16f1e407384f"
MKR = "0x9f8f72aa9304c8b593d555f12ef6589cc3a579a2"
SKY = "0x56072c95faa701256059aa122697b133aded9279"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
GUSD = "0x056fd409e1d7a124bd7017459dfea2f387b6d5cd"
WETH = "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2"
WBTC = "0x2260fac5e5542a773aa44fbcfedf7c193bc2c599"
VAT = "0x35d1b3f3d7966a1dfe207aa4514c12a259a0492b"
POT = "0x197e90f9fad81970ba7976f33cbd77088e5d7cf7"
VOW = "0xa950524441892a31ebddf91d3ceefa04bf454466"
DOG = "0x135954d155898d42c90d2a57824c690e0c7bef1b"
CLIP_ETH_A = "0xc67963a226eddd77b91ad8c421630a1b0adff270"
CLIP_WBTC_A = "0x0227b54adbfaeec5f1ed1dfa11f54dcff9076e2c"
SUSDS = "0xa3931d71877c0e7a3148cb7eb4463524fec27fbd"
STUSDS = "0x99cd4ec3f88a45940936f469e4bb72a2a701eeb9"
OF_SAVERS = pytest.mark.parametrize(("contract", "pool"), [("SUsds", SUSDS), ("StUsds", STUSDS)])
LITE_PSM = "0xf6e72db5454dd049d0788e411b06cfaf16853042"
GUSD_PSM = "0x204659b2fd2ad5723975c362ce2230fba11d3900"
SPLITTER = "0xbf7111f13386d23cb2fba5a538107a73f6872bcf"
OLD_AUCTION = "0xc4269cc7acdedc3794b221aa4d9205f564e27f0d"
OLD_CLIP = "0x35526314f18feb5b7f124e40d6a99d64f7d7e89a"
FLIP = "0xf32836b9e1f47a0515c6ec431592d5ebc276407f"
ORACLE = "0x88f88bb9e66241b73b84f3a6e197fbba487b1e30"
CATS = (
    "0x78f2c2af65126834c51822f56be0d7469d7a523e",
    "0xa5679c04fc3d9d8b0aab1f0ab83555b301ca70ea",
)
NOBODY = "0x" + "00" * 20
GRAB = "grab(bytes32,address,address,address,int256,int256)"
USER, KEEPER, OTHER = "0x" + "aa" * 20, "0x" + "cc" * 20, "0x" + "dd" * 20
WAD, RAY, RAD = 10**18, 10**27, 10**45


def ilk(name: str) -> bytes:
    """Return a collateral type as the contracts hold it."""
    return name.encode().ljust(32, b"\0")


def maker(name: str, event: str, emitter: str, **arguments: Any) -> Built:
    """Return a log of one of the contracts."""
    return log(f"maker/{name}", event, emitter, **arguments)


def facts_of(*logs: Built) -> Any:
    """Return the facts of one transaction; every token is declared."""
    return built(SLUG, {}, *logs)


def announced(*logs: Built) -> pl.DataFrame:
    """Return the auctions that liquidations of an earlier block announced."""
    known = declared([PROTOCOLS[SLUG]], ETHEREUM)
    return discovered([PROTOCOLS[SLUG]], ETHEREUM, frame(logs, block=12_300_000), known)


# --- liquidations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cat", CATS)
def test_a_bite_is_dai_owed_and_collateral_taken(cat: str) -> None:
    """The ilk is the pool as text; tab has 45 decimals and ink 18, in both Cats."""
    bite = maker(
        "Cat",
        "Bite",
        cat,
        ilk=ilk("ETH-A"),
        urn=USER,
        ink=50 * WAD,
        art=1,
        tab=39195 * 10**44 + 1,
        flip=KEEPER,
        id=7,
    )

    result = facts_of(bite)

    assert rows(result, "credit_events") == [
        {
            "kind": "liquidation",
            "pool": "ETH-A",
            "loan": "7",
            "account": USER,
            "asset_token": DAI,
            "principal_tokens": usd("3919.5"),
            "collateral_token": WETH,
            "collateral_tokens": usd("50"),
        }
    ]
    assert reasons(result) == []


def kicked(clip: str, keeper: str, number: int = 3) -> Built:
    """Return the start of an auction."""
    return maker(
        "Clipper",
        "Kick",
        clip,
        id=number,
        top=RAY,
        tab=1130 * RAD,
        lot=WAD,
        usr=USER,
        kpr=keeper,
        coin=RAD,
    )


def barked(name: str, clip: str, number: int = 3) -> Built:
    """Return 1,000 Dai of debt and one token of collateral put to auction."""
    return maker(
        "Dog",
        "Bark",
        DOG,
        ilk=ilk(name),
        urn=USER,
        ink=WAD,
        art=900 * WAD,
        due=1000 * RAD,
        clip=clip,
        id=number,
    )


def test_a_bark_is_owed_without_the_penalty_that_its_kick_has() -> None:
    """`due` is the principal, `tab` of the auction is not; the auction names the keeper."""
    result = facts_of(kicked(CLIP_ETH_A, KEEPER), barked("ETH-A", CLIP_ETH_A))

    assert rows(result, "credit_events") == [
        {
            "kind": "liquidation",
            "pool": "ETH-A",
            "loan": "3",
            "account": USER,
            "counterparty": KEEPER,
            "asset_token": DAI,
            "principal_tokens": usd("1000"),
            "collateral_token": WETH,
            "collateral_tokens": usd("1"),
        }
    ]
    assert reasons(result) == []


def test_each_bark_has_the_keeper_of_its_own_auction() -> None:
    """Two collateral types may count the same number; the kick just before is the bark's."""
    result = facts_of(
        kicked(CLIP_ETH_A, KEEPER),
        barked("ETH-A", CLIP_ETH_A),
        kicked(CLIP_WBTC_A, OTHER),
        barked("WBTC-A", CLIP_WBTC_A),
    )

    found = [(row["pool"], row["counterparty"]) for row in rows(result, "credit_events")]
    assert found == [("ETH-A", KEEPER), ("WBTC-A", OTHER)]


def taken(owe: int, price: int, tab: int, lot: int, clip: str = CLIP_WBTC_A) -> Built:
    """Return a purchase from an auction, and what it leaves."""
    return maker(
        "Clipper",
        "Take",
        clip,
        id=3,
        max=price,
        price=price,
        owe=owe,
        tab=tab,
        lot=lot,
        usr=USER,
    )


def test_a_take_sells_what_was_paid_for_not_what_is_left() -> None:
    """600 Dai at 1,500 a token is 0.4 tokens; tab and lot of the log are remainders."""
    result = facts_of(taken(600 * RAD, 1500 * RAY, 530 * RAD, 6 * 10**17))

    assert rows(result, "credit_events") == [
        {
            "kind": "recovery",
            "pool": "WBTC-A",
            "loan": "3",
            "account": USER,
            "asset_token": DAI,
            "principal_tokens": usd("600"),
            "collateral_token": WBTC,
            "collateral_tokens": usd("0.4"),
        }
    ]
    assert rows(result, "shortfalls") == []


@pytest.mark.parametrize(("tab", "lot", "lost"), [(130, 0, ["130"]), (0, 0, []), (0, 5, [])])
def test_what_is_owed_when_nothing_is_left_to_sell_is_bad_debt(
    tab: int, lot: int, lost: list[str]
) -> None:
    """An auction that ends paid, with or without collateral to return, loses nothing."""
    result = facts_of(taken(RAD, RAY, tab * RAD, lot))

    found = [
        (row["kind"], row["market"], row["shortfall_tokens"], row["shortfall_usd"])
        for row in rows(result, "shortfalls")
    ]
    assert found == [("bad_debt", "WBTC-A", usd(amount), usd(amount)) for amount in lost]


def test_an_auction_that_no_list_names_is_that_of_its_bark() -> None:
    """Sky's stakers had a clipper before the one of today: its first Bark says what it sells."""
    before = barked("LSEV2-SKY-A", OLD_CLIP)
    start = facts_of(before)
    earlier = Known(empty("tokens"), start.markets, announced(before))

    result = built(SLUG, {}, taken(600 * RAD, RAY, 130 * RAD, 0, clip=OLD_CLIP), earlier=earlier)

    sold = [(row["pool"], row["collateral_token"]) for row in rows(result, "credit_events")]
    assert sold == [("LSEV2-SKY-A", SKY)]
    assert [row["market"] for row in rows(result, "shortfalls")] == ["LSEV2-SKY-A"]


def bitten(name: str, flip: str) -> Built:
    """Return 1,000 Dai of debt and one token of collateral put to the first kind of auction."""
    owed = {"ink": WAD, "art": 900 * WAD, "tab": 1000 * RAD}
    return maker("Cat", "Bite", CATS[0], ilk=ilk(name), urn=USER, flip=flip, id=7, **owed)


def test_the_token_of_a_type_that_no_list_names_is_not_known() -> None:
    """What was taken of it is still told, and nothing is rejected."""
    result = facts_of(bitten("NEW-A", FLIP))

    (row,) = rows(result, "credit_events")
    assert (row.get("collateral_token"), row["collateral_tokens"]) == (None, usd("1"))
    assert reasons(result) == []


def bid(number: int, lot: int, whole: int) -> Built:
    """Return the note of a bid for a whole lot."""
    return noted("tend(uint256,uint256,uint256)", FLIP, KEEPER, number, lot, whole)


def test_a_bid_in_a_cats_auction_recovers_what_it_adds() -> None:
    """300 Dai, then 450: the second pays 300 back to the first bidder and the Vow 150 more."""
    before = bitten("ETH-A", FLIP)
    earlier = Known(empty("tokens"), facts_of(before).markets, announced(before))
    bids = (moved(KEEPER, OTHER, 300 * RAD), moved(KEEPER, VOW, 150 * RAD), bid(7, WAD, 450 * RAD))

    result = built(SLUG, {}, *bids, earlier=earlier)

    assert rows(result, "credit_events") == [
        {
            "kind": "recovery",
            "pool": "ETH-A",
            "loan": "7",
            "counterparty": KEEPER,
            "asset_token": DAI,
            "principal_tokens": usd("150"),
        }
    ]
    assert reasons(result) == []


def test_bids_have_the_selector_that_the_sources_say() -> None:
    """0x4b43ed12, left-aligned, is the first topic."""
    assert bid(7, WAD, RAD).topics[0].hex() == "4b43ed12".ljust(64, "0")


def test_the_dog_is_read_from_its_deployment_on() -> None:
    """messari/subgraphs has the block; an auction of LINK may not have been the first."""
    starts = {c.from_block for c in PROTOCOLS[SLUG].contracts if c.address.lower() == DOG}

    assert starts == {12_246_358}


def test_dollars_of_bad_debt_are_an_assumption() -> None:
    """Dai is taken at par, like everywhere in this declaration."""
    result = facts_of(taken(RAD, RAY, RAD, 0))

    assert result.tables["shortfalls"]["evidence"].to_list() == ["assumed"]


def test_a_restart_has_a_keeper_and_no_amounts() -> None:
    """What is left to sell is a stock: told again in a restart, it must not add up."""
    again = maker(
        "Clipper",
        "Redo",
        CLIP_WBTC_A,
        id=3,
        top=RAY,
        tab=1130 * RAD,
        lot=WAD,
        usr=USER,
        kpr=KEEPER,
        coin=RAD,
    )

    result = facts_of(again, maker("Clipper", "Yank", CLIP_WBTC_A, id=3))

    auction = {"pool": "WBTC-A", "loan": "3", "asset_token": DAI}
    assert rows(result, "credit_events") == [
        {**auction, "kind": "auction_restart", "account": USER, "counterparty": KEEPER},
        {**auction, "kind": "auction_removed"},
    ]
    assert rows(result, "shortfalls") == []


def test_what_a_liquidation_hands_to_the_vow_is_queued() -> None:
    """1,000.5 Dai of the Dog queue; nothing queues for zero, and a flap tells no amount."""
    result = facts_of(
        noted("fess(uint256)", VOW, DOG, 10_005 * 10**44),
        noted("fess(uint256)", VOW, DOG, 0),
        noted("flap()", VOW, USER),
    )

    assert rows(result, "shortfalls") == [
        {
            "kind": "debt_queued",
            "market": VOW,
            "account": DOG,
            "asset_token": DAI,
            "shortfall_tokens": usd("1000.5"),
            "shortfall_usd": usd("1000.5"),
        }
    ]
    assert reasons(result) == []


def test_the_vows_notes_have_the_selector_that_the_sources_say() -> None:
    """0x697efb78, left-aligned, is the first topic."""
    assert noted("fess(uint256)", VOW).topics[0].hex() == "697efb78".ljust(64, "0")


def test_losses_that_stakers_carry_are_paid_by_them() -> None:
    """A cut of stUSDS is what its holders lose, in USDS, and what a share is worth after it."""
    chi = {"oldChi": 105 * 10**25, "newChi": 98 * 10**25}

    result = facts_of(maker("StUsds", "Cut", STUSDS, assets=7 * WAD, **chi))

    (row,) = rows(result, "shortfalls")
    assert (row["kind"], row["asset_token"]) == ("insurance_out", USDS)
    assert (row["shortfall_tokens"], row["shortfall_usd"]) == (usd("7"), usd("7"))
    assert rows(result, "share_prices") == [
        {"pool": STUSDS, "asset_token": USDS, "share_price_tokens": usd("0.98")}
    ]


# --- real-world vaults ----------------------------------------------------------------------------


def test_remediation_is_an_impairment_until_cured_or_culled() -> None:
    """Tell, Cure and Cull of one vault are three kinds of event of its collateral type."""
    urn = "0x7bf825718e7c388c3be16cfe9982539a7455540f"
    result = facts_of(
        maker("RwaLiquidationOracle", "Tell", ORACLE, ilk=ilk("RWA003-A")),
        maker("RwaLiquidationOracle", "Cure", ORACLE, ilk=ilk("RWA003-A")),
        maker("RwaLiquidationOracle", "Cull", ORACLE, ilk=ilk("RWA003-A"), urn=urn),
    )

    found = [(row["kind"], row["pool"], row.get("loan")) for row in rows(result, "credit_events")]
    assert found == [
        ("impairment", "RWA003-A", None),
        ("impairment_removed", "RWA003-A", None),
        ("default", "RWA003-A", urn),
    ]


@pytest.mark.parametrize("name", ["RWA007-A", "RWA014-A"])
def test_a_vault_that_is_wound_up_has_not_defaulted(name: str) -> None:
    """Two vaults were told and culled to take them off the books: no impairment, no default."""
    result = facts_of(
        maker("RwaLiquidationOracle", "Tell", ORACLE, ilk=ilk(name)),
        maker("RwaLiquidationOracle", "Cure", ORACLE, ilk=ilk(name)),
        maker("RwaLiquidationOracle", "Cull", ORACLE, ilk=ilk(name), urn=OTHER),
    )

    assert rows(result, "credit_events") == []


def test_an_urn_draws_and_repays_dai_of_its_vault() -> None:
    """The urn is the loan, its collateral type the pool, who calls the account."""
    urn = "0x481ba2d2e86a1c41427893899b5b0ceae41c6726"
    result = facts_of(
        maker("RwaUrn", "Draw", urn, usr=USER, wad=500 * WAD),
        maker("RwaUrn", "Wipe", urn, usr=USER, wad=200 * WAD),
    )

    assert rows(result, "credit_events") == [
        {
            "kind": kind,
            "pool": "RWA007-A",
            "loan": urn,
            "account": USER,
            "asset_token": DAI,
            "principal_tokens": usd(tokens),
        }
        for kind, tokens in (("funded", "500"), ("payment", "200"))
    ]


def test_an_allocator_draws_and_repays_usds_of_its_vault() -> None:
    """An allocator borrows as a real-world vault does, USDS instead of Dai."""
    vault = "0x691a6c29e9e96dd897718305427ad5d534db16ba"
    result = facts_of(
        maker("AllocatorVault", "Draw", vault, sender=USER, wad=500 * WAD),
        maker("AllocatorVault", "Wipe", vault, sender=USER, wad=200 * WAD),
    )

    assert rows(result, "credit_events") == [
        {
            "kind": kind,
            "pool": "ALLOCATOR-SPARK-A",
            "loan": vault,
            "account": USER,
            "asset_token": USDS,
            "principal_tokens": usd(tokens),
        }
        for kind, tokens in (("funded", "500"), ("payment", "200"))
    ]


def test_a_staker_borrows_and_repays_usds_against_sky() -> None:
    """The owner is the account, whoever gets the money; his debts have no address to be told by."""
    engine = "0xce01c90de7fd1bcfa39e237fe6d8d9f569e8a6a3"
    debt = {"owner": USER, "index": 3}
    result = facts_of(
        maker("LockstakeEngine", "Draw", engine, **debt, to=OTHER, wad=500 * WAD),
        maker("LockstakeEngine", "Wipe", engine, **debt, wad=200 * WAD),
    )

    assert rows(result, "credit_events") == [
        {
            "kind": kind,
            "pool": "LSEV2-SKY-A",
            "account": USER,
            "asset_token": USDS,
            "principal_tokens": usd(tokens),
        }
        for kind, tokens in (("funded", "500"), ("payment", "200"))
    ]


def test_what_is_liquidated_of_a_staker_is_of_the_loan() -> None:
    """In USDS, as it was drawn, and so is what its auction brings, or leaves."""
    clip = "0x836f56750517b1528b5078cba4ac4b94fbe4a399"
    restarted = {"id": 3, "top": RAY, "tab": RAD, "lot": WAD, "usr": USER, "kpr": KEEPER, "coin": 0}

    result = facts_of(
        barked("LSEV2-SKY-A", clip),
        maker("Clipper", "Redo", clip, **restarted),
        taken(600 * RAD, RAY, 130 * RAD, 0, clip=clip),
        maker("Clipper", "Yank", clip, id=3),
    )

    found = [(row["pool"], row["asset_token"]) for row in rows(result, "credit_events")]
    assert found == [("LSEV2-SKY-A", USDS)] * 4
    assert [row["asset_token"] for row in rows(result, "shortfalls")] == [USDS]


def test_a_direct_deposit_lends_takes_back_and_earns() -> None:
    """The hub names the collateral type; an update that moves nothing is no loan."""
    hub, first = (
        "0x12f36cdea3a28c35ac8c6cc71d9265c17c74a27f",
        "0xa13c0c8eb109f5a13c6c90fc26afb23beb3fb04a",
    )
    spark = ilk("DIRECT-SPARK-DAI")
    result = facts_of(
        maker("DirectDepositAave", "Wind", first, amount=0),
        maker("DirectDepositAave", "Wind", first, amount=500 * WAD),
        maker("DirectDepositAave", "Unwind", first, amount=200 * WAD),
        maker("D3MHub", "Fees", hub, ilk=spark, amt=9 * WAD),
        maker("D3MHub", "Wind", hub, ilk=spark, amt=700 * WAD),
        maker("D3MHub", "Unwind", hub, ilk=spark, amt=100 * WAD),
    )

    assert sorted(
        (row["pool"], row["kind"], row["asset_token"], row["principal_tokens"])
        for row in rows(result, "credit_events")
    ) == [
        ("DIRECT-AAVEV2-DAI", "funded", DAI, usd("500")),
        ("DIRECT-AAVEV2-DAI", "payment", DAI, usd("200")),
        ("DIRECT-SPARK-DAI", "funded", DAI, usd("700")),
        ("DIRECT-SPARK-DAI", "payment", DAI, usd("100")),
    ]
    (row,) = rows(result, "fees")
    assert (row["market"], row["fee_kind"]) == ("DIRECT-SPARK-DAI", "interest")
    assert (row["fee_usd"], row["treasury_usd"], row["supply_side_usd"]) == (usd("9"), usd("9"), 0)


@pytest.mark.parametrize(
    ("jar", "market"),
    [
        ("0xef1b095f700be471981aae025f92b03091c3ad47", "RWA007-A"),
        ("0xf2e7a5b83525c3017383deed19bb05fe34a62c27", "PSM-GUSD-A"),
    ],
)
def test_a_jar_tosses_income_to_the_treasury(jar: str, market: str) -> None:
    """Dai from an arranger, or earned in a peg, is income of the system, at par and so assumed."""
    result = facts_of(maker("RwaJar", "Toss", jar, usr=USER, wad=9 * WAD))

    (row,) = rows(result, "fees")
    assert row["market"] == market
    shares = ("fee_usd", "treasury_usd", "supply_side_usd", "holders_usd")
    assert [row[name] for name in shares] == [usd("9"), usd("9"), 0, 0]
    assert result.tables["fees"]["evidence"].to_list() == ["assumed"]


# --- savings --------------------------------------------------------------------------------------


def moved(source: str, target: str, rad: int) -> Built:
    """Return the Vat's note of Dai that moves."""
    return noted("move(address,address,uint256)", VAT, source, target, rad)


def test_a_join_costs_the_dai_that_moved_just_before() -> None:
    """The note of the Pot has shares only; Dai, and so the price, are in the Vat's note."""
    result = facts_of(
        moved(OTHER, POT, 77 * RAD),
        moved(USER, POT, 105 * 10**43 * 100),
        noted("join(uint256)", POT, USER, 100 * WAD),
    )

    assert rows(result, "pool_flows") == [
        {
            "kind": "deposit",
            "pool": POT,
            "account": USER,
            "asset_token": DAI,
            "asset_tokens": usd("1.05") * 1000 / 10,
            "share_tokens": usd("100"),
        }
    ]
    assert rows(result, "share_prices") == [
        {"pool": POT, "asset_token": DAI, "share_price_tokens": usd("1.05")}
    ]
    assert reasons(result) == []


def test_an_exit_gets_the_dai_that_moved_out() -> None:
    """Dai goes from the Pot to the caller; the caller is the second topic, not the first."""
    result = facts_of(moved(POT, USER, 11 * RAD), noted("exit(uint256)", POT, USER, 10 * WAD))

    (row,) = rows(result, "pool_flows")
    assert (row["kind"], row["account"], row["asset_tokens"]) == ("withdrawal", USER, usd("11"))
    assert rows(result, "share_prices")[0]["share_price_tokens"] == usd("1.1")


def test_a_call_with_nothing_is_no_flow() -> None:
    """Exits of zero shares are noted too; they have no price."""
    result = facts_of(noted("exit(uint256)", POT, USER, 0))

    assert rows(result, "pool_flows") == rows(result, "share_prices") == []
    assert reasons(result) == []


@pytest.mark.parametrize(
    ("payer", "receiver", "count"),
    [(VOW, POT, 1), (VOW, SUSDS, 0), (OTHER, OTHER, 0)],
    ids=["savers", "sUSDS, which says so itself", "a flash loan"],
)
def test_what_is_made_for_savers_is_the_supply_side(payer: str, receiver: str, count: int) -> None:
    """Other Dai that is made out of nothing is no interest, and sUSDS is not counted twice."""
    result = facts_of(noted("suck(address,address,uint256)", VAT, payer, receiver, 3 * RAD))

    found = [(row["market"], row["supply_side_usd"]) for row in rows(result, "fees")]
    assert found == [(POT, usd("3"))] * count
    assert result.tables["fees"]["fee_usd"].null_count() == count


def settled(rad: int, name: str, vault: str) -> tuple[Built, Built]:
    """Return the notes of a settlement: Dai for the Vow, and a debt without collateral."""
    made = noted("suck(address,address,uint256)", VAT, VOW, VOW, rad)
    arguments = ("0x" + ilk(name).hex(), vault, NOBODY, VOW, 0, rad // RAY)
    return made, noted(GRAB, VAT, *arguments)


def test_what_allocators_settle_is_the_treasurys() -> None:
    """Each has its own debt, which follows its Dai; both are of one spell."""
    spark = settled(9 * RAD, "ALLOCATOR-SPARK-A", USER)
    bloom = settled(2 * RAD, "ALLOCATOR-BLOOM-A", OTHER)

    result = facts_of(*spark, *bloom)

    assert rows(result, "fees") == [
        {
            "market": name,
            "account": vault,
            "fee_kind": "interest",
            "fee_token": DAI,
            "fee_tokens": usd(amount),
            "fee_usd": usd(amount),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd(amount),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
        for name, vault, amount in (
            ("ALLOCATOR-SPARK-A", USER, "9"),
            ("ALLOCATOR-BLOOM-A", OTHER, "2"),
        )
    ]
    assert result.tables["fees"]["evidence"].unique().to_list() == ["assumed"]
    assert reasons(result) == []


@pytest.mark.parametrize(
    "debt",
    [(), (noted(GRAB, VAT, "0x" + ilk("DIRECT-SPARK-DAI").hex(), USER, USER, VOW, 0, WAD),)],
    ids=["debt of old auctions that was stuck", "a direct deposit, whose hub says its fees"],
)
def test_other_dai_that_the_vow_makes_for_itself_is_no_fee(debt: tuple[Built, ...]) -> None:
    """It settles nothing with an allocator."""
    made = noted("suck(address,address,uint256)", VAT, VOW, VOW, RAD)

    assert rows(facts_of(made, *debt), "fees") == []


def test_savers_are_not_paid_by_the_allocator_that_settles_after_them() -> None:
    """A spell may drip first: what it makes for the Pot is the savers'."""
    savers = noted("suck(address,address,uint256)", VAT, VOW, POT, 3 * RAD)

    result = facts_of(savers, *settled(9 * RAD, "ALLOCATOR-SPARK-A", USER))

    found = [(one["market"], one.get("treasury_usd")) for one in rows(result, "fees")]
    assert found == [(POT, None), ("ALLOCATOR-SPARK-A", usd("9"))]


def test_a_debt_that_nothing_was_made_for_is_no_fee() -> None:
    """Spells move debts of allocators as well."""
    _, debt = settled(RAD, "ALLOCATOR-SPARK-A", USER)

    assert rows(facts_of(debt), "fees") == []


@OF_SAVERS
def test_a_drip_is_a_price_and_what_it_cost(contract: str, pool: str) -> None:
    """Chi is a ray, diff a wad; fees that pay it are not known."""
    result = facts_of(maker(contract, "Drip", pool, chi=105 * 10**25, diff=42 * WAD))

    assert rows(result, "share_prices") == [
        {"pool": pool, "asset_token": USDS, "share_price_tokens": usd("1.05")}
    ]
    assert rows(result, "fees") == [
        {
            "market": pool,
            "fee_kind": "interest",
            "fee_token": USDS,
            "supply_side_usd": usd("42"),
            "split_basis": "none",
        }
    ]


def test_a_drip_twice_in_a_block_costs_nothing() -> None:
    """The second finds no time passed: a price, and no fee."""
    result = facts_of(maker("SUsds", "Drip", SUSDS, chi=105 * 10**25, diff=0))

    assert rows(result, "fees") == []
    assert len(rows(result, "share_prices")) == 1


@OF_SAVERS
@pytest.mark.parametrize(
    ("event", "kind", "more"),
    [("Deposit", "deposit", {}), ("Withdraw", "withdrawal", {"receiver": OTHER})],
)
def test_savings_of_usds_belong_to_the_owner(
    event: str, kind: str, more: dict[str, str], contract: str, pool: str
) -> None:
    """Who sends and who receives is not who owns the shares."""
    amounts = {"assets": 21 * WAD, "shares": 20 * WAD}

    one = maker(contract, event, pool, sender=OTHER, owner=USER, **amounts, **more)

    assert rows(facts_of(one), "pool_flows") == [
        {
            "kind": kind,
            "pool": pool,
            "account": USER,
            "asset_token": USDS,
            "asset_tokens": usd("21"),
            "share_tokens": usd("20"),
        }
    ]


# --- peg ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("psm", "token", "value", "tokens"),
    [(LITE_PSM, USDC, 2_500_000, "2.5"), (GUSD_PSM, GUSD, 250, "2.5")],
)
def test_a_swap_at_the_peg_is_in_the_tokens_own_decimals(
    psm: str, token: str, value: int, tokens: str
) -> None:
    """USDC has six, Gemini dollars two; the fee is a wad whatever the token."""
    sold = maker("DssPsm", "SellGem", psm, owner=USER, value=value, fee=10**15)
    bought = maker("DssPsm", "BuyGem", psm, owner=USER, value=value, fee=2 * 10**15)
    free = maker("DssPsm", "BuyGem", psm, owner=USER, value=0, fee=0)

    result = facts_of(sold, bought, free)

    flows = [
        (row["kind"], row["asset_token"], row["asset_tokens"]) for row in rows(result, "pool_flows")
    ]
    assert flows[:2] == [("mint", token, usd(tokens)), ("redemption", token, usd(tokens))]
    assert rows(result, "fees") == [
        {
            "market": psm,
            "account": USER,
            "fee_kind": "swap",
            "fee_token": DAI,
            "fee_tokens": usd(fee),
            "fee_usd": usd(fee),
            "supply_side_usd": usd("0"),
            "treasury_usd": usd(fee),
            "holders_usd": usd("0"),
            "split_basis": "event",
        }
        for fee in ("0.001", "0.002")
    ]


# --- buybacks -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "bought", "spent"),
    [
        (
            maker(
                "FlapperUniV2First",
                "Kick",
                "0x0c10ae443ccb4604435ba63da80ccc63311615bc",
                lot=5000 * RAD,
                total=10_100 * WAD,
                bought=4 * WAD,
                liquidity=1,
            ),
            (MKR, "4"),
            (DAI, "5000"),
        ),
        (
            maker(
                "FlapperUniV2",
                "Exec",
                "0xc5a9caeba70d6974cbdfb28120c3611dd9910355",
                lot=10_000 * WAD,
                sell=5_010 * WAD,
                buy=90_000 * WAD,
                liquidity=1,
            ),
            (SKY, "90000"),
            (USDS, "5010"),
        ),
        (
            maker(
                "FlapperUniV2SwapOnly",
                "Exec",
                "0x374d9c3d5134052bc558f432afa1df6575f07407",
                lot=10_000 * WAD,
                bought=180_000 * WAD,
            ),
            (SKY, "180000"),
            (USDS, "10000"),
        ),
    ],
    ids=["2023, lot a rad", "September 2024, half into the pool", "swap only"],
)
def test_a_flapper_buys_for_the_treasury(
    one: Built, bought: tuple[str, str], spent: tuple[str, str]
) -> None:
    """What was swapped counts, in the units of each generation; nothing is burned."""
    result = facts_of(one)

    assert rows(result, "buybacks") == [
        {
            "bought_token": bought[0],
            "bought_tokens": usd(bought[1]),
            "spent_token": spent[0],
            "spent_tokens": usd(spent[1]),
            "spent_usd": usd(spent[1]),
            "destination_kind": "treasury",
        }
    ]


def test_the_splitter_pays_stakers_and_the_old_auction_shares_its_topic() -> None:
    """Pay is a wad of the holders; the same topic of the auction house says nothing."""
    numbers = {"tot": 20_000 * RAD, "lot": 5_000 * WAD, "pay": 15_000 * WAD}
    ours = maker("Splitter", "Kick", SPLITTER, **numbers)
    theirs = maker("Splitter", "Kick", OLD_AUCTION, **numbers)

    result = facts_of(theirs, ours)

    (row,) = rows(result, "fees")
    assert (row["market"], row["holders_usd"]) == (SPLITTER, usd("15000"))
    assert "fee_usd" not in row
    assert rows(result, "buybacks") == []


def test_a_kick_that_pays_nobody_is_no_fee() -> None:
    """While all is spent on the token, stakers get nothing."""
    kick = maker("Splitter", "Kick", SPLITTER, tot=RAD, lot=WAD, pay=0)

    assert rows(facts_of(kick), "fees") == []


def test_the_share_that_buys_is_dated() -> None:
    """Each spell's share is in force until the next one's day."""
    shares = known.policies([PROTOCOLS[SLUG]])

    assert [
        (str(row["valid_from"].date()), row["value"], row["basis"])
        for row in shares.iter_rows(named=True)
    ] == [
        ("2024-09-13", Decimal("1"), "governance"),
        ("2024-10-17", Decimal("0.7"), "governance"),
        ("2025-02-21", Decimal("1"), "governance"),
        ("2025-05-29", Decimal("0.5"), "governance"),
        ("2025-08-21", Decimal("0.25"), "governance"),
        ("2025-10-30", Decimal("1"), "governance"),
        ("2026-08-13", Decimal("0.55"), "governance"),
    ]


# --- what is asked for ----------------------------------------------------------------------------


def test_the_vat_is_asked_for_savings_settlements_and_the_vows_income_alone() -> None:
    """Its notes are among the most frequent of the chain: few of them are asked for."""
    asked = narrow_filters([PROTOCOLS[SLUG]], ETHEREUM)

    pot, vow, nobody = (bytes.fromhex(one[2:]).rjust(32, b"\0") for one in (POT, VOW, NOBODY))
    assert {one.addresses for one in asked} == {(bytes.fromhex(VAT[2:]),)}
    assert sorted((one.topic0s[0][:4].hex(), one.others) for one in asked) == [
        ("7bab3f40", ((), (), (nobody,))),
        ("bb35783b", ((), (pot, vow))),
        ("bb35783b", ((pot,),)),
        ("f24e23eb", ((vow,), (pot, vow))),
    ]


# --- recorded -------------------------------------------------------------------------------------


def test_every_recorded_bite_becomes_its_row(shared: Path) -> None:
    """All three recorded bites of one vault give urn, collateral and Dai owed."""
    logs = recorded(shared, SLUG, "0xa716da86")

    found = recorded_rows(
        SLUG,
        logs,
        {},
        "credit_events",
        *("kind", "pool", "account", "asset_token", "principal_tokens"),
        *("collateral_token", "collateral_tokens"),
    )

    assert found == expected_rows(
        logs,
        [
            (
                "liquidation",
                "ETH-A",
                address(one["topics"][2]),
                DAI,
                scaled(words(one)[2], 45),
                WETH,
                scaled(words(one)[0], 18),
            )
            for one in logs
        ],
    )
    assert len(logs) == 3
    assert sum(row[6] for row in found.values()) == Decimal("141.7")


def test_recorded_calls_of_the_pot_cost_what_moved(shared: Path) -> None:
    """Calls for something give a flow, in Dai where the Vat's note was recorded, and a price."""
    calls = [
        (one, kind)
        for topic0, kind in (("0x049878f3", "deposit"), ("0x7f8661a1", "withdrawal"))
        for one in recorded(shared, SLUG, topic0)
        if int(one["topics"][2], 16)
    ]
    moves = [
        one
        for one in captured(shared, "0xbb35783b")
        if POT in {address(one["topics"][1]), address(one["topics"][2])}
    ]
    rads = {place(one): int(one["topics"][3], 16) for one in moves}
    paid = [rads.get((one["transactionHash"], int(one["logIndex"], 16) - 1)) for one, _ in calls]

    result = read(SLUG, of_chain([*(one for one, _ in calls), *moves], "ethereum"), {})
    columns = ("tx_hash", "log_index", "kind", "account", "asset_tokens", "share_tokens")
    flows = result.tables["pool_flows"].select(*columns)
    prices = result.tables["share_prices"].sort("block_number")["share_price_tokens"].to_list()

    assert set(flows.rows()) == {
        (
            *place(one),
            kind,
            address(one["topics"][1]),
            None if rad is None else scaled(rad, 45),
            scaled(int(one["topics"][2], 16), 18),
        )
        for (one, kind), rad in zip(calls, paid, strict=True)
    }
    assert (len(flows), len(prices), paid.count(None)) == (11, 9, 2)
    assert prices == sorted(prices)
    assert usd("1.01") < prices[0] < prices[-1] < usd("1.2")
    assert [why for _, _, why in reasons(result)] == ["share price tokens is not known"] * 2


def test_recorded_dai_for_savers_is_supply_side(shared: Path) -> None:
    """Of seventeen recorded sucks, those of the Vow for the Pot that made something count."""
    logs = captured(shared, "0xf24e23eb")
    ours = [
        one
        for one in logs
        if (address(one["topics"][1]), address(one["topics"][2])) == (VOW, POT)
        and int(one["topics"][3], 16)
    ]

    found = recorded_rows(SLUG, logs, {}, "fees", "market", "supply_side_usd")

    assert found == expected_rows(
        ours, [(POT, scaled(int(one["topics"][3], 16), 45)) for one in ours]
    )
    assert (len(logs), len(ours)) == (17, 5)


def test_recorded_savings_of_usds_become_rows(shared: Path) -> None:
    """Seven drips, four deposits and three withdrawals give prices, costs and flows."""
    drips = recorded(shared, SLUG, "0xad1e8a53")
    flows = [*recorded(shared, SLUG, "0xdcbc1c05"), *recorded(shared, SLUG, "0xfbde797d")]

    prices = recorded_rows(SLUG, drips, {}, "share_prices", "pool", "share_price_tokens")
    costs = recorded_rows(SLUG, drips, {}, "fees", "supply_side_usd")
    moved_rows = recorded_rows(
        SLUG, flows, {}, "pool_flows", "account", "asset_tokens", "share_tokens"
    )

    assert prices == expected_rows(drips, [(SUSDS, scaled(words(one)[0], 27)) for one in drips])
    paid = [one for one in drips if words(one)[1]]
    assert costs == expected_rows(paid, [(scaled(words(one)[1], 18),) for one in paid])
    assert moved_rows == expected_rows(
        flows,
        [
            (address(one["topics"][-1]), scaled(words(one)[0], 18), scaled(words(one)[1], 18))
            for one in flows
        ],
    )
    assert (len(drips), len(paid), len(flows)) == (7, 6, 7)


def test_recorded_swaps_at_the_peg_become_rows(shared: Path) -> None:
    """Four sold and three bought, of two generations, none with a fee."""
    logs = [*recorded(shared, SLUG, "0xef75f5a4"), *recorded(shared, SLUG, "0x085d06ec")]

    found = recorded_rows(SLUG, logs, {}, "pool_flows", "kind", "pool", "account", "asset_tokens")

    assert found == expected_rows(
        logs,
        [
            (
                "mint" if one["topics"][0].startswith("0xef75f5a4") else "redemption",
                one["address"],
                address(one["topics"][1]),
                scaled(words(one)[0], 6),
            )
            for one in logs
        ],
    )
    assert len(logs) == 7
    assert recorded_rows(SLUG, logs, {}, "fees", "fee_usd") == {}


# --- prices of collateral -------------------------------------------------------------------------


def test_the_spotter_says_what_a_collateral_is_taken_for() -> None:
    """The price is a wad in a bytes32; without one, spot is zero and there is no row."""
    spotter = "0x65c79fcb50ca1594b025960e539ed7a9a6d434a3"
    price = {"val": (2_500 * WAD).to_bytes(32), "spot": 1_700 * RAY}

    result = facts_of(
        maker("Spotter", "Poke", spotter, ilk=ilk("ETH-A"), **price),
        maker("Spotter", "Poke", spotter, ilk=ilk("WBTC-A"), **(price | {"spot": 0})),
        maker("Spotter", "Poke", spotter, ilk=ilk("RWA001-A"), **price),
    )

    assert rows(result, "oracle_updates") == [
        {
            "feed": "ETH-A",
            "asset": "ETH-A",
            "quote": "USD",
            "oracle_price_quote": usd("2500"),
            "provider": "sky",
        }
    ]
    assert reasons(result) == []
