"""Decimals that come from several places, or from an exponent."""

from decimal import Decimal

from goldens import reasons, rows
from test_facts_engine import OTHER, fee, made, margin, small

from indexer.spec import (
    DecimalsFirst,
    DecimalsOf,
    DecimalsSaid,
    Fixed,
    Neg,
    Nonzero,
    OfContract,
    When,
)

CHOSEN = DecimalsFirst((OfContract("decimals"), DecimalsOf("token")))


def test_what_is_said_first_counts() -> None:
    """The contract's decimals stand before the token's, and nobody is asked for the token's."""
    event = fee(fee_usd=Fixed("feeUsd", CHOSEN))

    result = made(small(event, says={"decimals": 2}), [margin(250), margin(250, token=OTHER)])

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal("2.5")] * 2
    assert result.unknown_tokens == ()


def test_where_the_first_is_not_known_the_next_counts() -> None:
    """Row by row: a token that is known gives its decimals, one that is not rejects its row."""
    event = fee(fee_usd=Fixed("feeUsd", CHOSEN))

    result = made(small(event), [margin(2_500_000), margin(1, token=OTHER)])

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal("2.5")]
    assert [reason for _, _, reason in reasons(result)] == [
        f"decimals of token {OTHER} are not known"
    ]
    assert result.unknown_tokens == (OTHER,)


def test_each_reject_names_its_own_token() -> None:
    """Also where what comes first leaves some rows to the next, beside a row that is known."""
    event = fee(fee_usd=Fixed("feeUsd", DecimalsFirst((DecimalsOf("token"), DecimalsOf("token")))))
    unknown = [f"0x{number:040x}" for number in (7, 8, 9)]

    result = made(
        small(event),
        [margin(1, token=unknown[0]), margin(2_500_000)],
        *([margin(1, token=token)] for token in unknown[1:]),
    )

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal("2.5")]
    assert [reason for _, _, reason in reasons(result)] == [
        f"decimals of token {token} are not known" for token in unknown
    ]


def test_an_amount_in_no_token_is_no_amount() -> None:
    """Where nothing says whose decimals are meant, the row is rejected, and no other for that."""
    token = When(Nonzero("feeTokens"), "token")
    event = fee(fee_usd=Fixed("feeUsd", DecimalsFirst((DecimalsOf(token), DecimalsOf(token)))))

    result = made(
        small(event),
        [margin(2_500_000, 1), margin(2_500_000, 0), margin(2_500_000, 1, token=OTHER)],
    )

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal("2.5")]
    assert [reason for *_, reason in reasons(result)] == [
        "which token the amount is in is not known",
        f"decimals of token {OTHER} are not known",
    ]


def test_a_constant_ends_the_search() -> None:
    """What always is known comes last, and hides what was not known before it."""
    event = fee(fee_usd=Fixed("feeUsd", DecimalsFirst((DecimalsOf("token"), 3))))

    result = made(small(event), [margin(2_500_000), margin(2_500, token=OTHER)])

    assert [row["fee_usd"] for row in rows(result, "fees")] == [Decimal("2.5")] * 2
    assert reasons(result) == []


def test_an_exponent_keeps_its_sign() -> None:
    """10 to the power -2 is two decimals; what the row says as 2 is two as well."""
    event = fee(
        fee_usd=Fixed("feeUsd", DecimalsSaid(Neg("feeTokens"), times=-1)),
        fee_tokens=Fixed("feeUsd", DecimalsSaid("feeTokens")),
    )

    (row,) = rows(made(small(event), [margin(250, 2)]), "fees")

    assert (row["fee_usd"], row["fee_tokens"]) == (Decimal("2.5"), Decimal("2.5"))


def test_decimals_beyond_all_bounds_are_not_their_last_64_bits() -> None:
    """What a contract says of 2^64 + 18 decimals is no amount of 18."""
    event = fee(fee_usd=Fixed("feeUsd", DecimalsSaid("feeTokens")))

    (row,) = rows(made(small(event), [margin(250 * 10**18, 2**64 + 18)]), "fees")

    assert row["fee_usd"] == 0
