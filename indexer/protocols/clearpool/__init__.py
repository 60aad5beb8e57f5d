"""
Clearpool: pools of one borrower each, on eight chains, in three kinds.

Contracts  https://github.com/clearpool-finance/prime-protocol-public (prime);
           https://github.com/DefiLlama/DefiLlama-Adapters, projects/clearpool (dynamic, vaults):
           pools are announced by their factories. The first one of dynamic pools, of March to May
           2022, stood in there until the next did; its announcement has one argument more
           (PoolFactory.sol as verified on Ethereum), its pools log what later ones do.
Split      prime, protocol/contracts/Pool/Pool.sol: _dueInterestOf adds the penalty to what is due;
           _repayTo and _repayInterestTo transfer what is due to the lender, and to the treasury no
           more than spread and origination fee, which come on top. So a lender gets principal,
           interest and penalty in one, and of a penalty the treasury gets nothing. Spread is the
           treasury's part of interest, so gross interest is the two together. Dynamic pools hand
           their reserves over.
Units      amounts in the pool's asset; shares of dynamic pools have the asset's decimals, their
           exchange rate is in 1e18.
Dollars    USDC and USDT at par, by https://developers.circle.com/stablecoins/usdc-contract-addresses
           and https://tether.to/en/supported-protocols; other assets have tokens only.

`version` is prime, dynamic or vaults. A pool is its own loan: its borrower is in the announcement.
Prime lenders pay the borrower and are paid by him, nothing stays in the pool.
"""

from indexer.protocols.clearpool.dynamic import DYNAMIC, DYNAMIC_EVENTS, DYNAMIC_READS
from indexer.protocols.clearpool.prime import PRIME, PRIME_EVENTS
from indexer.spec import (
    Const,
    Contract,
    Discover,
    Event,
    Protocol,
    Token,
    Value,
    chain_of,
    listed,
    upgraded,
)

NEW: dict[str, Value] = {
    "market": "pool",
    "asset_class": Const("credit"),
    "known_by": Const("event"),
}
PROTOCOL = Protocol(
    slug="clearpool",
    name="Clearpool",
    kind="credit",
    methodology=(
        "A pool is the loan of its one borrower. Prime: a lender's money is deposit and funding in "
        "one, and what he gets back, interest and penalty included, withdrawal and payment; the "
        "spread (fee kind reserve where the interest beside it is not told apart) and origination "
        "fees are treasury, interest and penalties supply side; Defaulted is a default without "
        "an amount, a callback a call, an accepted roll a refinancing. Dynamic: repayments are "
        "principal and interest in one, reserves handed to the treasury are fees, and a default is "
        "the pool's state, read once a day with its size, principal and share price."
    ),
    left_out=(
        "The interest within a prime pool's final repayment, and within every repayment to a "
        "dynamic pool: the event has principal and interest in one amount (`paid_tokens`); over a "
        "prime pool's life it is what its lenders withdrew less what they deposited.",
        "Defaults of dynamic pools as events: they log none; see their status.",
        "Reserves that dynamic pools before ReservesTransferred handed over, their insurance and "
        "the auctions of their debt: they log nothing, and the auction's address is not confirmed.",
        "Whom a dynamic pool is handed to (PoolTransferred): its first owner stays the account of "
        "all it lends.",
        "Vaults beyond their announcement: no source for what their pools log. Treasury pools on "
        "Flare, a chain that is not read.",
        "Closed, Activated, RollRequested and RollRejected: nothing is owed or paid by them.",
        "Dollars of bridged USDC, and of anything on Mantle and Polygon zkEVM: no list of what is "
        "redeemed at par there was at hand.",
        "PayFi vaults (clearpool-payfi-vaults): another product.",
        "CPOOL rewards of lenders: not credit.",
    ),
    contracts=tuple(
        Contract(
            chain=chain_of(row["chain"]),
            abi=row["abi"],
            address=row["address"],
            from_block=int(row["from_block"]),
            version=row["version"],
        )
        for row in listed("clearpool_factories")
    ),
    discoveries=(
        Discover("clearpool/PrimeFactory", "PoolCreated", child="pool", child_abi=PRIME),
        *(
            Discover(factory, "PoolCreated", child="pool", child_abi=DYNAMIC)
            for factory in ("clearpool/FirstFactory", "clearpool/DynamicFactory")
        ),
    ),
    events=(
        *(
            Event(
                abi,
                "PoolCreated",
                "markets",
                {**NEW, "index_token": asset, "borrower": borrower},
            )
            for abi, asset, borrower in (
                ("clearpool/PrimeFactory", "asset", "borrower"),
                ("clearpool/FirstFactory", "currency", "manager"),
                ("clearpool/DynamicFactory", "token", "owner"),
                ("clearpool/VaultFactory", "asset", "borrower"),
            )
        ),
        *PRIME_EVENTS,
        *DYNAMIC_EVENTS,
        *upgraded("clearpool/PrimeFactory", is_confirmed=True),
    ),
    reads=DYNAMIC_READS,
    tokens=tuple(
        Token(chain_of(row["chain"]), row["address"], row["symbol"], int(row["decimals"]))
        for row in listed("clearpool_dollars")
    ),
)
