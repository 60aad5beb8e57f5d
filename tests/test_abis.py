"""Every ABI entry against the venues' own signatures: topics decide which logs are read at all."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak
from goldens import ROOT, keyed, signature, spelled

from indexer.facts.operands import wanted
from indexer.facts.questions import abi_functions
from indexer.facts.routes import abi_entries
from indexer.protocols.gmx_v2 import ABI as EMITTER_ABI
from indexer.protocols.gmx_v2 import PROTOCOL as GMX_V2
from indexer.spec import Keyed

# The main ones by hand, so that a wrong ABI is found without the files of facts.
TOPIC0S = {
    ("gmx_v1/Vault", "IncreasePosition"): (
        "2fe68525253654c21998f35787a8d0f361905ef647c854092430ab65f2f15022"
    ),
    ("gmx_v1/Vault", "DecreasePosition"): (
        "93d75d64d1f84fc6f430a64fc578bdd4c1e090e90ea2d51773e626d19de56d30"
    ),
    ("gmx_v1/Vault", "LiquidatePosition"): (
        "2e1f85a64a2f22cf2f0c42584e7c919ed4abe8d53675cff0f62bf1e95a1c676f"
    ),
    ("gmx_v1/Vault", "UpdatePnl"): (
        "3ff41bdde87755b687ae83d0221a232b6be51a803330ed9661c1b5d0105e0d8a"
    ),
    ("gmx_v1/Vault", "UpdateFundingRate"): (
        "a146fc154e1913322e9817d49f0d5c37466c24326e15de10e739a948be815eab"
    ),
    ("gmx_v1/Vault", "CollectMarginFees"): (
        "5d0c0019d3d45fadeb74eff9d2c9924d146d000ac6bcf3c28bf0ac3c9baa011a"
    ),
    ("gmx_v1/Vault", "CollectSwapFees"): (
        "47cd9dda0e50ce30bcaaacd0488452b596221c07ac402a581cfae4d3933cac2b"
    ),
    ("gmx_v1/FastPriceEvents", "PriceUpdate"): (
        "c37a77b91cc3fc2d0e4b43fd2f347ec67adda10e39215de4742836cc3e42c97a"
    ),
    ("gmx_v1/FastPriceFeed", "SetPrice"): (
        "95dce27040c59c8b1c445b284f81a3aaae6eecd7d08d5c7684faee64cdb514a1"
    ),
    ("gmx_v1/PositionRouter", "ExecuteDecreasePosition"): (
        "21435c5b618d77ff3657140cd3318e2cffaebc5e0e1b7318f56a9ba4044c3ed2"
    ),
    ("gmx_v2/EventEmitter", "EventLog"): (
        "7e3bde2ba7aca4a8499608ca57f3b0c1c1c93ace63ffd3741a9fab204146fc9a"
    ),
    ("gmx_v2/EventEmitter", "EventLog1"): (
        "137a44067c8961cd7e1d876f4754a5a3a75989b4552f1843fc69c3b372def160"
    ),
    ("gmx_v2/EventEmitter", "EventLog2"): (
        "468a25a7ba624ceea6e540ad6f49171b52495b648417ae91bca21676d8a24dc5"
    ),
    ("synthetix_v3/PerpsMarketProxy", "MarketCreated"): (
        "032553f94ac1323933f22650ec5b8e232babf1c47efca69383b749463116cc49"
    ),
    ("synthetix_v3/PerpsMarketProxy", "OrderSettled"): (
        "460080a757ec90719fe90ab2384c0196cdeed071a9fd7ce1ada43481d96b7db5"
    ),
    ("synthetix_v3/PerpsMarketProxy", "PositionLiquidated"): (
        "d583c0e2965aae317f4a9a6603c0c75602b9bc97dc7c5fc6446b0ba8d3ff1bb2"
    ),
    ("synthetix_v3/PerpsMarketProxy", "AccountFlaggedForLiquidation"): (
        "ee38d74835b41491aaf94362bbbd5c0a844c795e5c2de530ddf37c91b0179ba9"
    ),
    (
        "synthetix_v3/PerpsMarketProxy",
        "MarketUpdated(uint128,uint256,int256,uint256,int256,int256,int256,uint128)",
    ): "346c68f39d865d9102f8e506228e49f3ff189d487acd496f59cfff5163dd7d70",
    (
        "synthetix_v3/PerpsMarketProxy",
        "MarketUpdated(uint128,uint256,int256,uint256,int256,int256,int256)",
    ): "b317f068f30db823aeb6ac6ddbffcbb6c805f558972e6b16625ec58b83f1f3d5",
    ("synthetix_v3/BuybackSnx", "BuybackProcessed"): (
        "840f6b22bacac5a7ec150e55e4101f796377c95c8b315bbfd6c943958d5a83f8"
    ),
}

PRECOMPILES = ("hyperliquid/Precompiles",)

# Topic 1 of the logs of GMX v2's events.
NAME_HASHES = {
    "SetBool": "81b30f29e7945c41dc84a16fb5345bf8bf9fd87d7b5c60f483dda8520b46db87",
    "SetUint": "16451d757d5863173e04605a5bd6de4cad7710cd78c9cc9cd8a3be2ea73de489",
    "AdlStateUpdated": "0f781196bf1989f86ce0fb15db712fa1673a65b5f4d421250e8fd73f40a70df4",
    "PositionIncrease": "f94196ccb31f81a3e67df18f2a62cbfb50009c80a7d3c728a3f542e3abc5cb63",
    "PositionDecrease": "07d51b51b408d7c62dcc47cc558da5ce6a6e0fd129a427ebce150f52b0e5171a",
    "PositionFeesCollected": "e096982abd597114bdaa4a60612f87fabfcc7206aa12d61c50e7ba1e6c291100",
    "PositionFeesInfo": "8655f9667b66fc9e7efb1b6d44319284e1d7cffbff9751f70e263723a7080b83",
    "InsolventClose": "cfa5615fee0f8a3be5094b3bca17ec4275ce73d648845f3e7c10226bb9e0eed0",
    "SwapFeesCollected": "f35c99b746450c623be607459294d15f458678f99d535718db6cfcbccb117c09",
    "OpenInterestUpdated": "00196834ad19e18bcab573766c501e3a5cf9a022e5fc21614e0dc7655b7e9c8f",
    "OpenInterestInTokensUpdated": (
        "fbbe3c3c8271403e547b480ca2b55983a21fe524ed9d85d50d72a461e3290111"
    ),
    "OraclePriceUpdate": "41c7b30afab659d385f1996d0addfa6e647694862e72378d0b43773f556cbeb2",
    "OrderExecuted": "680f10f06595d3d707241f604672ec4b6ae50eb82728ec2f3c65f6789e897760",
    "BuybackFees": "5cdc95df4470fa1587194a1e5697177a1ab16df1d46f3f34a2eff0a318b23c84",
    "MarketCreated": "ad5d762f1fc581b3e684cf095d93d3a2c10754f60124b09bec8bf3d76473baaf",
    "ClaimableFundingUpdated": "915eebf8297cc3f559ded968b9b253a3f043b1e6da5075ac2111083dc2c456fe",
    "Funding": "fa62774da2a88153e9ab65eeb82179af1263fd762699dee63c5cdf2c271748b0",
    "FundingFeeAmountPerSizeUpdated": (
        "d7711de9bbcf6742f3644c5088104e3d8801f3e2732c153b19be5cffff228586"
    ),
    "CumulativeBorrowingFactorUpdated": (
        "ee37215cac2e30d52faa22ac5f257cc28b963bc20a6aaada17b5814ab489013e"
    ),
    "DepositExecuted": "2856020a9644603d22d7b029b5649a55d708b88d9049150f146ac26c4107b880",
    "GlvValueUpdated": "7192b140a3f397350eb801b655611622e12eaa75b5307439431e784ef3d26dd9",
    "MarketPoolValueInfo": "28ec1cc9cd095b6b56a6ac21011e583e4a25b1b7d78979aeccbf4b4af7c5360d",
    "MarketPoolValueUpdated": "86834cf1ac14941d42cff9b14d28a052d57693ca16f3c3fc8a22efc050f96d97",
    "WithdrawalExecuted": "7998e9258f1701223baddabfe884a5dc09ee23a6b31b57c9e8150d60c97707f8",
}

# Items that releases of gmx-synthetics leave out; what that means is said in the declaration.
MISSING = {
    ("OraclePriceUpdate", "provider"): {"v2.0"},
    ("OraclePriceUpdate", "timestamp"): {"v2.0"},
    ("PositionFeesCollected", "affiliateRewardAmount"): {"v2.2", "main"},
    ("PositionFeesCollected", "referral.affiliateRewardAmount"): {"v2.0", "v2.1"},
    ("PositionFeesCollected", "liquidationFeeAmount"): {"v2.0", "v2.1"},
    ("PositionFeesCollected", "liquidationFeeAmountForFeeReceiver"): {"v2.0", "v2.1"},
    ("PositionFeesInfo", "affiliateRewardAmount"): {"v2.2", "main"},
    ("PositionFeesInfo", "referral.affiliateRewardAmount"): {"v2.0", "v2.1"},
    ("PositionFeesInfo", "liquidationFeeAmount"): {"v2.0", "v2.1"},
    ("PositionFeesInfo", "liquidationFeeAmountForFeeReceiver"): {"v2.0", "v2.1"},
    ("InsolventClose", "step"): {"v2.0"},
    ("DepositExecuted", "account"): {"v2.0"},
    ("WithdrawalExecuted", "account"): {"v2.0"},
    ("SwapFeesCollected", "swapFeeType"): {"v2.0"},
    ("SwapFeesCollected", "tradeKey"): {"v2.0"},
    ("MarketPoolValueInfo", "tradeKey"): {"v2.0"},
    ("PositionDecrease", "pnlUsd"): {"v2.0", "v2.1", "v2.2", "main"},  # of the beta before them
}


def entries() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every entry of every ABI with the name of its file."""
    for path in sorted((ROOT / "abis").rglob("*.json")):
        for entry in json.loads(path.read_text(encoding="utf-8")):
            yield f"{path.parent.name}/{path.stem}", entry


ENTRIES = [(abi, entry) for abi, entry in entries() if entry["type"] == "event"]
FUNCTIONS = [(abi, entry) for abi, entry in entries() if entry["type"] == "function"]


def written(argument: dict[str, Any]) -> str:
    """Return an argument as sources write it: type, "indexed" where it is, name."""
    kind = str(argument["type"])
    if "components" in argument:
        fields = ", ".join(written(part) for part in argument["components"])
        kind = f"({fields}){kind.removeprefix('tuple')}"
    return " ".join(filter(None, (kind, "indexed" * is_indexed(argument), argument["name"])))


def is_indexed(argument: dict[str, Any]) -> bool:
    """Tell whether an argument is a topic."""
    return bool(argument.get("indexed"))


def spelling(abi: str, entry: dict[str, Any]) -> tuple[str, str]:
    """Return an entry as a line of pinned_events.csv has it."""
    return abi, f"{entry['name']}({', '.join(map(written, entry['inputs']))})"


# Events of which the files of facts say nothing, as the source that each line names has them.
LINES = (ROOT / "tests/pinned_events.csv").read_text(encoding="utf-8").splitlines()
PINNED = {(row["abi"], row["event"]) for row in csv.DictReader(LINES)}
UNPINNED = [(abi, entry) for abi, entry in ENTRIES if spelling(abi, entry) not in PINNED]


def shape(argument: dict[str, Any]) -> tuple[Any, ...]:
    """Return what decides how an argument is read: name, type, place, fields."""
    fields = tuple(shape(part) for part in argument.get("components") or ())
    return argument["name"], spelled(argument), is_indexed(argument), fields


@pytest.fixture(scope="module")
def told(shared: Path) -> list[dict[str, Any]]:
    """Return the facts about events that are events of their own, not items of an envelope."""
    return [
        fact
        for name in ("perps", "rwa")
        for fact in json.loads((shared / f"facts/events_{name}.json").read_text("utf-8"))
        if fact.get("kind") != "named"
    ]


@pytest.mark.parametrize(
    ("abi", "entry"), UNPINNED, ids=[f"{abi}:{entry['name']}" for abi, entry in UNPINNED]
)
def test_an_entry_is_what_the_venue_declares(
    abi: str, entry: dict[str, Any], told: list[dict[str, Any]]
) -> None:
    """Signature, topic, names, types and indexed arguments stand in the files of facts."""
    topic0 = "0x" + keccak(text=signature(entry)).hex()
    mine = [fact for fact in told if fact["topic0"] == topic0]
    shapes = [tuple(shape(argument) for argument in fact["inputs"]) for fact in mine]

    assert signature(entry) in {fact["signature"] for fact in mine}, (
        f"neither the facts nor tests/pinned_events.csv know {': '.join(spelling(abi, entry))}; "
        "pin it there, with the source that has it"
    )
    own = [shape(argument) for argument in entry["inputs"]]
    assert any(len(own) == len(said) and all(map(is_same, own, said)) for said in shapes)


def test_an_event_beside_the_facts_is_as_its_source_has_it() -> None:
    """A line of pinned_events.csv is an entry, to the letter; no line outlives its entry."""
    assert {spelling(abi, entry) for abi, entry in ENTRIES} >= PINNED


def is_same(own: tuple[Any, ...], said: tuple[Any, ...]) -> bool:
    """Tell whether two shapes agree; the facts do not name the fields of every tuple."""
    return own[:3] == said[:3] and said[3] in ((), own[3])


@pytest.mark.parametrize(("abi", "name"), TOPIC0S)
def test_a_topic_is_the_one_on_chain(abi: str, name: str) -> None:
    """What the indexer asks nodes for is what the chain carries."""
    assert abi_entries(abi)[name].topic0.hex() == TOPIC0S[abi, name]


def test_a_function_is_called_by_the_selector_it_has() -> None:
    """What contracts are asked is what they answer to, for every function that is declared."""
    called = [(abi, entry) for abi, entry in FUNCTIONS if abi not in PRECOMPILES]

    asked = {(abi, e["name"]): abi_functions(abi)[e["name"]].selector for abi, e in called}

    assert asked == {(abi, e["name"]): keccak(text=signature(e))[:4] for abi, e in called}


@pytest.mark.parametrize("abi", sorted({abi for abi, _ in entries()}))
def test_an_abi_is_two_spaces_of_events_and_views_and_nothing_else(abi: str) -> None:
    """Files are lists of events and view functions, formatted one way, so differences read well."""
    text = (ROOT / "abis" / f"{abi}.json").read_text(encoding="utf-8")

    listed = json.loads(text)

    kinds = {(entry["type"], entry.get("stateMutability")) for entry in listed}
    assert kinds <= {("event", None), ("function", "view")}
    assert text == json.dumps(listed, indent=2) + "\n"


def read_items() -> dict[str, set[str]]:
    """Return the items that GMX v2's declaration reads, by event."""
    read = wanted(GMX_V2.events, GMX_V2.discoveries, EMITTER_ABI)
    return {name.name: names for name, names in read.items() if isinstance(name, Keyed)}


def test_the_events_of_gmx_v2_are_named_by_their_hash() -> None:
    """Every event the declaration reads, companions too, has the topic its name hashes to."""
    computed = {name: keyed(name, "0x" + "00" * 20).topics[1].hex() for name in read_items()}

    assert computed == NAME_HASHES


@pytest.fixture(scope="module")
def gmx_keys(shared: Path) -> dict[str, dict[str, set[str]]]:
    """Return the items of GMX v2's events by event and release."""
    known = json.loads((shared / "facts/gmx_keys.json").read_text(encoding="utf-8"))
    return {
        event: {
            release: {key for one in shapes for keys in one["keys"].values() for key in keys}
            for release, shapes in releases.items()
        }
        for event, releases in known.items()
    }


def test_an_item_that_is_read_exists_in_some_release(
    gmx_keys: dict[str, dict[str, set[str]]],
) -> None:
    """A misspelt item would be absent for ever; releases that lack one are known by name."""
    lacking = {
        (event, item): releases
        for event, names in read_items().items()
        for item in names - {"topic2"}  # of the envelope
        if (releases := {tag for tag, known in gmx_keys[event].items() if item not in known})
    }

    assert lacking == MISSING
