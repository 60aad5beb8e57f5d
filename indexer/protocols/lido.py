"""
Lido: pooled staking of ether; stETH grows with each report of the oracle, LDO is bought back.

Contracts  stETH, the buyback Safe and the Agent (the treasury): DefiLlama/dimension-adapters
           fees/lido.ts; LDO and the hub of stVaults: https://docs.lido.fi/deployed-contracts
           https://github.com/lidofinance/core (contracts/0.8.25/vaults/VaultHub.sol)
Split      of staking rewards 90 % stay with stETH; the protocol fee is a tenth (fees are minted as
           shares, see Units), and node operators get a part of it that is set module by module, so
           none is stated: 3.5 of 10 in the curated one since 2025-12-24, 5 before; 8 in that of
           Simple DVT: https://github.com/lidofinance/scripts (vote of 2025-12-10)
           What stVaults (since v3) owe Lido goes to the treasury whole, in ether, when it is
           settled.
Units      stETH, shares and LDO in 18 decimals; the fee of a report is its shares at the ether
           per share after it.

stETH counts as ether in no dollars here. What the Safe sends to the Agent was bought; the Agent
keeps it.
"""

from indexer.chains import ETHEREUM
from indexer.spec import (
    TOKEN_SUPPLY,
    Amount,
    Const,
    Contract,
    Emitter,
    Event,
    Fixed,
    Nonzero,
    Product,
    Protocol,
    Quotient,
    Time,
    Token,
)

ERC20 = "erc20/Token"
STETH = "0xae7ab96520DE3A18E5e111B5EaAb095312D7fE84"
LDO = "0x5A98FcBEA516Cf06857215779Fd812CA3beF1B32"
SAFE = "0xf6f0732c1e9971497342c295141566e6f1a31e96"
VAULT_HUB = "0x1d201BE093d847f6446530Efb0E8Fb426d176709"
AGENT = "0x3e40d73eb977dc6a537af587d48316fee66e9c8c"

PROTOCOL = Protocol(
    slug="lido",
    name="Lido",
    kind="yield",
    methodology=(
        "The protocol fee is what each report of the oracle mints as fee shares, at the ether per "
        "share after it; in stETH, never in dollars. What stVaults pay Lido is a fee when it is "
        "settled, in ether. Share prices are the ether per share of each report. Buybacks are LDO "
        "that the buyback Safe sends to the Agent, which keeps it; that the Safe is the "
        "programme's is a third party's finding, so rows are assumed. LDO's supply is read at the "
        "first block of each UTC day."
    ),
    left_out=(
        "Fees before v2 (May 2023): reports had another event.",
        "Who stakes and withdraws (Submitted, and the withdrawal queue): what is staked in all is "
        "the supply of each report at its share price.",
        "The part of stakers (nine tenths of rewards), and where rewards come from "
        "(ETHDistributed): it accrues in the share price.",
        "The part of node operators: each module of the StakingRouter has its own, and what the "
        "modules weigh in a report is state.",
        "What LDO cost: orders are settled by others.",
        "LDO that NEST buys (approved in 2026) for a pool that the DAO owns: no source here has "
        "its address.",
        "Fees in dollars: reports carry no price of ether.",
        "What stVaults owe and have not settled, and what their operators keep.",
        "Bad debt of stVaults (BadDebtSocialized, BadDebtWrittenOffToBeInternalized and "
        "ExternalBadDebtInternalized): in shares, whose ether these events do not say.",
    ),
    contracts=(
        Contract(ETHEREUM, "lido/StETH", STETH, 0),
        Contract(ETHEREUM, "lido/VaultHub", VAULT_HUB, 0),
        Contract(ETHEREUM, ERC20, LDO, 0, only={"from": (SAFE,), "to": (AGENT,)}),
    ),
    events=(
        Event(
            abi="lido/StETH",
            name="TokenRebased",
            into="fees",
            columns={
                "market": Emitter(),
                "fee_kind": Const("management"),
                "fee_token": Emitter(),
                "fee_tokens": Amount(
                    Quotient(Product("sharesMintedAsFees", "postTotalEther"), "postTotalShares"),
                    Emitter(),
                ),
                "split_basis": Const("none"),
            },
            where=(Nonzero("sharesMintedAsFees"),),
        ),
        Event(
            abi="lido/VaultHub",
            name="LidoFeesSettled",
            into="fees",
            columns={
                "market": "vault",
                "fee_kind": Const("service"),
                "fee_token": Const("ETH"),
                "fee_tokens": Fixed("transferred", 18),
                "split_basis": Const("none"),
            },
            where=(Nonzero("transferred"),),
        ),
        Event(
            abi="lido/StETH",
            name="TokenRebased",
            into="share_prices",
            columns={
                "pool": Emitter(),
                "asset_token": Const("ETH"),
                "share_price_tokens": Fixed(Quotient("postTotalEther", "postTotalShares"), 0),
                "supply_tokens": Fixed("postTotalShares", 18),
                "nav_at": Time("reportTimestamp"),
            },
        ),
        Event(
            abi=ERC20,
            name="Transfer",
            into="buybacks",
            columns={
                "bought_token": Emitter(),
                "bought_tokens": Amount("value", Emitter()),
                "destination_kind": Const("treasury"),
            },
            where=(Nonzero("value"),),
            evidence="assumed",
        ),
    ),
    reads=(TOKEN_SUPPLY,),
    tokens=(
        Token(ETHEREUM, STETH.lower(), "stETH", 18),
        Token(ETHEREUM, LDO.lower(), "LDO", 18),
    ),
)
