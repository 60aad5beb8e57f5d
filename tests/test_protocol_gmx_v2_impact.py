"""GMX v2: goldens of the parameters of the price impact; synthetic, built from the envelope."""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from goldens import Built, built_facts, keyed, reasons, rows

from indexer.chains import ARBITRUM
from indexer.facts import Facts

EMITTER = "0xc8ee91a54287db53897056e12d9819156d3822fb"
MARKET = "0x47c031236e19d024b42f8ae6780e44a573170703"
FACTOR, EXPONENT = "POSITION_IMPACT_FACTOR", "POSITION_IMPACT_EXPONENT_FACTOR"
IN_TOKENS = "USE_OPEN_INTEREST_IN_TOKENS_FOR_BALANCE"


def named(key: str) -> bytes:
    """Return a key of the store, as Keys.sol makes it of its name."""
    return keccak(encode(["string"], [key]))


def of_market(*, is_positive: bool | None = None) -> bytes:
    """Return what is appended to the key: the market, and the sign if there is one."""
    if is_positive is None:
        return encode(["address"], [MARKET])
    return encode(["address", "bool"], [MARKET, is_positive])


def set_uint(key: str, appended: bytes, value: int) -> Built:
    """Return a SetUint of Config."""
    return keyed(
        "SetUint",
        EMITTER,
        [named(key)],
        bytes32={"baseKey": named(key)},
        bytes={"data": appended},
        uint256={"value": value},
    )


def set_bool(key: str, *, value: bool) -> Built:
    """Return a SetBool of Config of a key to which nothing is appended."""
    return keyed(
        "SetBool",
        EMITTER,
        [named(key)],
        bytes32={"baseKey": named(key)},
        bytes={"data": b""},
        bool={"value": value},
    )


def made(*logs: Built) -> Facts:
    """Return the facts of one transaction on Arbitrum."""
    return built_facts("gmx_v2", ARBITRUM, logs)


def told(*logs: Built) -> Sequence[dict[str, object]]:
    """Return the parameters that these logs tell."""
    result = made(*logs)
    assert reasons(result) == []
    return rows(result, "impact_parameters")


@pytest.mark.parametrize("is_positive", [True, False])
def test_a_factor_keeps_all_its_places(is_positive: bool) -> None:
    """4.093362972922985e-8, as a market had it: eleven digits would be gone at 18 places."""
    log = set_uint(FACTOR, of_market(is_positive=is_positive), 40_933_629_729_229_850_000_001)

    assert told(log) == [
        {
            "market": MARKET,
            "is_positive": is_positive,
            "factor_trillionths": Decimal("40933.629729229850000001"),
        }
    ]


def test_an_exponent_was_one_of_both_signs() -> None:
    """The market alone is appended; what is beyond 18 places the contracts cut off as well."""
    log = set_uint(EXPONENT, of_market(), 1_655_417_464_419_320_500_999_999_999_999)

    assert told(log) == [{"market": MARKET, "exponent": Decimal("1.655417464419320500")}]


@pytest.mark.parametrize("is_positive", [True, False])
def test_an_exponent_may_have_a_sign(is_positive: bool) -> None:
    """As later releases read it."""
    log = set_uint(EXPONENT, of_market(is_positive=is_positive), 2 * 10**30)

    assert told(log) == [{"market": MARKET, "is_positive": is_positive, "exponent": Decimal(2)}]


@pytest.mark.parametrize("value", [True, False])
def test_balance_is_counted_in_tokens_or_dollars_everywhere(value: bool) -> None:
    """The switch is none of a market."""
    assert told(set_bool(IN_TOKENS, value=value)) == [{"market": "all", "is_in_tokens": value}]


def test_other_keys_are_none_of_price_impact() -> None:
    """Swap factors, caps and fees have keys of their own."""
    others = ("SWAP_IMPACT_FACTOR", "MAX_POSITION_IMPACT_FACTOR", "POSITION_FEE_FACTOR")

    assert told(*(set_uint(key, of_market(is_positive=True), 1) for key in others)) == []
    assert told(set_bool("IS_MARKET_DISABLED", value=True)) == []


@pytest.mark.parametrize("appended", [b"", b"\1" * 32, of_market()[:31]])
def test_a_parameter_of_no_market_is_rejected(appended: bytes) -> None:
    """It sets a key that no contract reads."""
    result = made(set_uint(FACTOR, appended, 1))

    assert reasons(result) == [("SetUint", "impact_parameters", "market is not known")]


def test_a_value_that_is_no_number_of_ours_is_rejected() -> None:
    """Too large for a factor: refused, not wrapped."""
    result = made(set_uint(FACTOR, of_market(is_positive=False), 2**256 - 1))

    assert reasons(result) == [
        ("SetUint", "impact_parameters", "the value does not fit DECIMAL(38,18)")
    ]
