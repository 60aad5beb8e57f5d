"""What chains earn: auctions of Arbitrum's express lane, vaults of OP Mainnet and Base."""

import pytest
from goldens import Built, facts_of, frame, log, reasons, rows, usd

from indexer.chains import ARBITRUM, BASE, OPTIMISM, Chain
from indexer.protocols import PROTOCOLS

AUCTION = "0x5fcb496a31b7ae91e7c9078ec662bd7a55cd3079"
WETH = "0x82af49447d8a07e3bd95bd0d56f35241523fbab1"
VAULT = "0x4200000000000000000000000000000000000019"
OPERATORS = "0x420000000000000000000000000000000000001b"
BIDDER, OTHER = "0x" + "ab" * 20, "0x" + "cd" * 20


def resolved(price: int) -> Built:
    """Return an auction that was won at 0.03 ether."""
    return log(
        "timeboost/ExpressLaneAuction",
        "AuctionResolved",
        AUCTION,
        isMultiBidAuction=True,
        round=7,
        firstPriceBidder=BIDDER,
        firstPriceExpressLaneController=OTHER,
        firstPriceAmount=3 * 10**16,
        price=price,
        roundStartTimestamp=1,
        roundEndTimestamp=61,
    )


def test_the_express_lane_costs_the_second_price() -> None:
    """Who bid 0.03 and pays 0.01 pays a fee of 0.01 WETH; where nothing is paid there is none."""
    result = facts_of("timeboost", ARBITRUM, frame([resolved(10**16), resolved(0)], block=1))

    assert rows(result, "fees") == [
        {
            "account": BIDDER,
            "fee_kind": "auction",
            "fee_token": WETH,
            "fee_tokens": usd("0.01"),
            "split_basis": "none",
        }
    ]
    assert result.tables["fees"]["evidence"].to_list() == ["event"]
    assert reasons(result) == []


def test_vaults_are_read_from_when_they_log_withdrawals() -> None:
    """That of OP Mainnet before Bedrock logged none: nothing there is no fee of zero."""
    first = {contract.chain: contract.from_block for contract in PROTOCOLS["op_stack"].contracts}

    assert first == {OPTIMISM: 105_235_063, BASE: 0}


@pytest.mark.parametrize("chain", [OPTIMISM, BASE])
def test_a_vault_pays_out_what_users_paid(chain: Chain) -> None:
    """12.5 ether leave the vault of base fees: one fee, by the event of three arguments."""
    paid = {"value": 125 * 10**17, "to": OTHER, "from": BIDDER}
    logs = [log("op_stack/FeeVault", "Withdrawal", VAULT, **paid)]

    result = facts_of("op_stack", chain, frame(logs, block=110_000_000))

    assert rows(result, "fees") == [
        {
            "market": VAULT,
            "fee_kind": "sequencer",
            "fee_token": "ETH",
            "fee_tokens": usd("12.5"),
            "split_basis": "none",
        }
    ]
    assert reasons(result) == []


def test_what_one_vault_pays_another_is_counted_where_it_leaves() -> None:
    """The operators' vault pays that of base fees, later a splitter: only the second is a fee."""
    logs = [
        log(
            "op_stack/FeeVault",
            "Withdrawal",
            OPERATORS,
            **{"value": 10**18, "to": to, "from": BIDDER},
        )
        for to in (VAULT, OTHER)
    ]

    result = facts_of("op_stack", OPTIMISM, frame(logs, block=150_000_000))

    assert [(row["market"], row["fee_tokens"]) for row in rows(result, "fees")] == [
        (OPERATORS, usd("1"))
    ]
    assert result.tables["fees"]["log_index"].to_list() == [1]
