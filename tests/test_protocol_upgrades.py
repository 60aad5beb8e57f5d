"""Upgrades: which code proxies stand before, as each venue tells it; built from the ABIs."""

from typing import Any

import pytest
from goldens import built_facts, log, reasons, rows

from indexer.chains import ARBITRUM, BASE, BSC, ETHEREUM, OPTIMISM, Chain
from indexer.protocols import PROTOCOLS

CODE, OLD = "0x" + "c0" * 20, "0x" + "01" * 20
TOKEN, ASSET = "0x" + "a0" * 20, "0x" + "a1" * 20
CUTS = ((CODE, 1, (b"\x01\x02\x03\x04",)), (OLD, 2, (b"\x05\x06\x07\x08", b"\x00" * 4)))
TOLD = [
    ("aave", ETHEREUM, "Pool", "Upgraded", {"implementation": CODE}),
    ("aave", ETHEREUM, "PoolConfigurator", "Upgraded", {"implementation": CODE}),
    ("spark", ETHEREUM, "Pool", "Upgraded", {"implementation": CODE}),
    ("spark", ETHEREUM, "PoolConfigurator", "Upgraded", {"implementation": CODE}),
    ("compound_v3", ETHEREUM, "Comet", "Upgraded", {"implementation": CODE}),
    ("clearpool", ETHEREUM, "PrimeFactory", "Upgraded", {"implementation": CODE}),
    *(
        ("perp_v2", OPTIMISM, abi, "Upgraded", {"implementation": CODE})
        for abi in ("MarketRegistry", "Exchange", "Vault", "ClearingHouse")
    ),
    *(
        ("truefi", ETHEREUM, abi, "Upgraded", {"implementation": CODE})
        for abi in ("FirstLender", "LoanFactory", "PoolFactory", "Lender", "Liquidator", "SAFU")
    ),
    ("synthetix_v2", OPTIMISM, "Market", "TargetedRouteAdded", {"targetedRoute": CODE}),
    ("synthetix_v2", OPTIMISM, "Market", "TargetUpdated", {"newTarget": CODE}),
    *(
        (
            "goldfinch",
            ETHEREUM,
            abi,
            "ProxyImplementationUpdated",
            {"previousImplementation": OLD, "newImplementation": CODE},
        )
        for abi in ("Factory", "SeniorPool", "LegacyPool", "CreditDesk")
    ),
    ("synthetix_v3", BASE, "PerpsMarketProxy", "Upgraded", {"self": OLD, "implementation": CODE}),
    *(
        (slug, chain, "Diamond", "DiamondCut", {"_diamondCut": CUTS, "_init": OLD})
        for slug, chain in (("gains", ARBITRUM), ("apollox", BSC))
    ),
]


def emitter_of(slug: str, chain: Chain, abi: str) -> str:
    """Return a declared contract with the ABI that is still read."""
    return next(
        one.address.lower()
        for one in PROTOCOLS[slug].contracts
        if one.chain == chain and one.abi == f"{slug}/{abi}" and one.to_block is None
    )


@pytest.mark.parametrize(
    ("slug", "chain", "abi", "name", "given"),
    TOLD,
    ids=[f"{one[0]}-{one[2]}-{one[3]}" for one in TOLD],
)
def test_a_proxy_says_which_code_it_stands_before(
    slug: str, chain: Chain, abi: str, name: str, given: dict[str, Any]
) -> None:
    """The code's address, and none where a diamond's is many contracts."""
    emitter = emitter_of(slug, chain, abi)
    code = {} if name == "DiamondCut" else {"implementation": CODE}
    rest = {"_calldata": b""} if name == "DiamondCut" else {}

    result = built_facts(slug, chain, [log(f"{slug}/{abi}", name, emitter, **given, **rest)])

    assert rows(result, "upgrades") == [{"contract": emitter} | code]
    assert result.tables["upgrades"]["evidence"].to_list() == ["event"]
    assert reasons(result) == []


def test_a_configurator_tells_of_its_reserves_tokens() -> None:
    """ATokenUpgraded: the proxy is the token, whose pool need not say a word."""
    configurator = emitter_of("aave", ETHEREUM, "PoolConfigurator")
    one = log(
        *("aave/PoolConfigurator", "ATokenUpgraded", configurator),
        asset=ASSET, proxy=TOKEN, implementation=CODE,
    )  # fmt: skip

    assert rows(built_facts("aave", ETHEREUM, [one]), "upgrades") == [
        {"contract": TOKEN, "implementation": CODE}
    ]


def test_a_factory_of_maple_tells_of_its_instances() -> None:
    """InstanceUpgraded says the number of the code that the instance stands before now."""
    factory = emitter_of("maple", ETHEREUM, "ProxyFactory")
    one = log(
        *("maple/ProxyFactory", "InstanceUpgraded", factory),
        instance=TOKEN, fromVersion=301, toVersion=302, migrationArguments=b"",
    )  # fmt: skip

    assert rows(built_facts("maple", ETHEREUM, [one]), "upgrades") == [
        {"contract": TOKEN, "release": "302"}
    ]
