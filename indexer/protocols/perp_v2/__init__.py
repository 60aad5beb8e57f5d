"""
Perpetual Protocol v2 ("Curie", Optimism): perps on virtual tokens in Uniswap v3 pools.

Contracts  https://www.npmjs.com/package/@perp/curie-deployments (optimism/core/metadata.json:
           addresses, first blocks, base tokens); proxies, whose addresses did not change
Split      Taker fees go to the makers of the pool; what the insurance fund gets of each is told in
           the same transaction, by PnlRealized of AccountBalance for the fund (ClearingHouse.sol,
           _openPosition), whatever ratio a market has. Of a liquidation's penalty the liquidator
           gets what the notional that was taken over is cheaper by, the fund the rest
           (ClearingHouse.sol, _liquidate): https://github.com/perpetual-protocol/perp-curie-contract
Units      Quote is dollars, 1e18; sizes 1e18 of the base token; Vault amounts in USDC, 1e6, taken
           at par; pools keep the square root of the price, base first (MarketRegistry.sol, addPool)
Signs      exchangedPositionSize is above zero where the trader buys. openNotional is the balance of
           quote: below zero of a long, what it cost with its fees, above zero of a short. After a
           change it is what it was, plus exchangedPositionNotional, less the fee and what was
           realised (AccountBalance.sol, settleBalanceAndDeregister), so one event tells both.
"""

from indexer.chains import OPTIMISM
from indexer.protocols.perp_v2.money import MONEY
from indexer.protocols.perp_v2.trades import TRADES
from indexer.protocols.perp_v2.values import BALANCES, EXCHANGE, HOUSE, REGISTRY, VAULT
from indexer.spec import (
    Contract,
    Market,
    Protocol,
    Token,
    listed,
    upgraded,
)

INSURANCE_FUND = "0x1c9a192df3936cbf093d8afdc352718bcf834eb6"

PROTOCOL = Protocol(
    slug="perp_v2",
    name="Perpetual Protocol v2",
    kind="perp",
    methodology=(
        "Position changes are PositionChanged, counted by what positions cost: the quote they are "
        "open for, fees included, before and after, both told by the event; a trade that turns a "
        "long into a short is two changes, which share its size as they share its quote. What "
        "removing liquidity leaves a maker with is a trade. A liquidation is two changes and one "
        "row: the trader's, and, since release 2.0, a takeover by the liquidator, which is no "
        "trade. Its side, profit or loss and pool price are those of the trader's change right "
        "before it; bad debt is what the Vault settles after it. Positions in a market that was "
        "closed end by settlement. Open interest is the running sum of these costs per side, of "
        "takers. Fees are taker fees, of which the insurance fund gets what AccountBalance credits "
        "it with in the same transaction and makers the rest; penalties of liquidations, split "
        "between the liquidator (supply side) and the fund; and the fund's part of collateral that "
        "is sold. "
        "Funding is what was settled per trader. Prices are the two averages of FundingUpdated: "
        "the index, and the market's own, under the Exchange. The insurance fund takes in what it "
        "is credited with and pays what bad debt is settled for."
    ),
    left_out=(
        "Other code of AccountBalance: of that contract one trader's logs are read alone.",
        "Positions inside makers' ranges, and so makers in open interest: no event says them "
        "while liquidity stands.",
        "Funding rates: what FundingUpdated says is not yet capped.",
        "LiquidityChanged: its fees are the makers' part of taker fees, collected later.",
        "PnlRealized of traders: it repeats PositionChanged, fees and funding.",
        "CollateralLiquidated as a liquidation: it sells collateral, and no position.",
        "Deposited and Withdrawn: margin, not shares of a pool.",
        "FeeDistributed: the fund's surplus is given to holders of vePERP, out of fees that were "
        "counted when it took them; what will be is not known then.",
        "Repaid: the fund moves its own money into its account in the Vault.",
        "Fee and discount ratios: PositionChanged carries the fee after them.",
        "PERP v1 on xDai: another protocol, closed in 2022.",
    ),
    contracts=(
        Contract(
            OPTIMISM, REGISTRY, "0xd5820eE0F55205f6cdE8BB0647072143b3060067", 513_520, version="2"
        ),
        Contract(
            OPTIMISM, EXCHANGE, "0xBd7a3B7DbEb096F0B832Cf467B94b091f30C34ec", 513_559, version="2"
        ),
        Contract(
            OPTIMISM,
            BALANCES,
            "0xA7f3FC32043757039d5e13d790EE43edBcBa8b7c",
            513_569,
            version="2",
            only={"trader": (INSURANCE_FUND,)},
        ),
        Contract(
            OPTIMISM, VAULT, "0xAD7b4C162707E0B2b5f6fdDbD3f8538A5fbA0d60", 513_580, version="2"
        ),
        Contract(
            OPTIMISM, HOUSE, "0x82ac2CE43e33683c58BE4cDc40975E73aA50f459", 513_591, version="2"
        ),
    ),
    events=(*TRADES, *MONEY, *upgraded(REGISTRY, EXCHANGE, VAULT, HOUSE)),
    tokens=tuple(
        Token(OPTIMISM, row["base_token"], f"v{row['symbol']}", 18)
        for row in listed("perp_v2_markets")
    ),
    markets=tuple(
        Market(OPTIMISM, row["base_token"], row["symbol"], row["base_token"])
        for row in listed("perp_v2_markets")
    ),
)
