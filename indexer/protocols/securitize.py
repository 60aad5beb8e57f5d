"""
Securitize: tokens of funds whose register is kept on chain. A share of BlackRock's BUIDL and of
VanEck's VBILL is worth a dollar by the fund's terms; what one of the others is worth, RedStone's
feeds say: Apollo's ACRED, STAC (AAA loans), Hamilton Lane's HLSCOPE, Blockchain Capital's BCAP and
Mantle's MI4.

Contracts  https://github.com/securitize-io/dstoken (DSToken); addresses of BUIDL and BUIDL-I as
           listed in DefiLlama/dimension-adapters (fees/securitize) and
           tradingstrategy-ai/web3-ethereum-defi, of VBILL in the latter and in
           DefiLlama/yield-server (vaneck-treasury-fund), of the others in
           DefiLlama/DefiLlama-Adapters, where the issuer entered them; feeds in
           redstone-finance/redstone-oracles-monorepo (relayer-manifests-multi-feed, ids that end
           in _FUNDAMENTAL), HLSCOPE's on Optimism in DefiLlama/dimension-adapters. First blocks are
           not known: windows start at 0.
Split      none: the fund's fees are charged off chain.
Units      shares 1e6 on every chain, but BCAP's 1e2; feeds are asked for their decimals (8), and
           say dollars a share, as those who list them read them.

Income of BUIDL is paid as shares that are issued like any other, once a month at first and on
business days since 2025 (see DefiLlama): a mint may be a dividend, and supply grows without new
money. A feed has the time it was written and no day that its value is of, and refuses a value
older than 30 hours: such a day has no row.
"""

from indexer.chains import ARBITRUM, AVALANCHE, BSC, ETHEREUM, OPTIMISM, POLYGON
from indexer.spec import (
    Amount,
    Call,
    Const,
    Contract,
    DecimalsSaid,
    Emitter,
    Equals,
    Event,
    Fixed,
    Int,
    OfContract,
    Protocol,
    Read,
    Seconds,
    Token,
    chain_of,
    listed,
)

ABI = "securitize/DSToken"
NAV_FEED = "securitize/NavFeed"
FUNDS = listed("securitize_funds")
DOLLARS = (
    (ETHEREUM, "0x7712c34205737192402172409a8f7ccef8aa2aec", "BUIDL"),
    (ETHEREUM, "0x6a9da2d710bb9b700acde7cb81f10f1ff8c89041", "BUIDL-I"),
    (POLYGON, "0x2893ef551b6dd69f661ac00f11d93e5dc5dc0e99", "BUIDL"),
    (AVALANCHE, "0x53fc82f14f009009b440a706e31c9021e1196a2f", "BUIDL"),
    (OPTIMISM, "0xa1cdab15bba75a80df4089cafba013e376957cf5", "BUIDL"),
    (ARBITRUM, "0xa6525ae43edcd03dc08e775774dcabd3bb925872", "BUIDL"),
    (BSC, "0x2d5bdc96d9c8aabbdb38c9a27398513e7e5ef84f", "BUIDL"),
    (ETHEREUM, "0x2255718832bc9fd3be1caf75084f4803da14ff01", "VBILL"),
    (AVALANCHE, "0x7f4546ef315efc65336187fe3765ea779ac90183", "VBILL"),
    (BSC, "0x14d72634328c4d03bba184a48081df65f1911279", "VBILL"),
)

PROTOCOL = Protocol(
    slug="securitize",
    name="Securitize (BUIDL, ACRED and others)",
    kind="rwa",
    methodology=(
        "Mints are Issue, redemptions are Burn, in shares: what was paid is not on chain. A mint "
        "is a subscription, a dividend or a move from another chain; no log tells which. "
        "Share prices are one dollar by the fund's terms (assumed) of BUIDL and VBILL, and what "
        "RedStone's feed of the fund says of the others, read once a day with the supply."
    ),
    left_out=(
        "Dividends apart from subscriptions: both are Issue, and neither the events of the daily "
        "yield's feed nor the dates of payment are confirmed.",
        "Management fees (0.18 to 2.5 % a year, by fund and chain): they are charged off chain.",
        "Seizures (Seize): shares change hands, none is made or redeemed.",
        "Tokens that rebase (TxShares, RebasingRateUpdated) and providers of net asset values "
        "(RateUpdated): no address of one is confirmed.",
        "BCAP on Ethereum, ArCoin, SPICE, COSX, SCI2, PRTS and ARKVX: what they log or their "
        "decimals are not confirmed, and of most no price is on chain.",
        "Chains that are not EVM chains.",
    ),
    contracts=(
        *(Contract(chain, ABI, address, 0, says={"par": "USD"}) for chain, address, _ in DOLLARS),
        *(Contract(chain_of(fund["chain"]), ABI, fund["token"], 0) for fund in FUNDS),
        *(
            Contract(
                chain_of(fund["chain"]),
                NAV_FEED,
                fund["feed"],
                0,
                says={"token": fund["token"].lower()},
            )
            for fund in FUNDS
        ),
    ),
    events=(
        Event(
            abi=ABI,
            name="Issue",
            into="pool_flows",
            columns={
                "kind": Const("mint"),
                "pool": Emitter(),
                "account": "to",
                "asset_token": Const("USD"),
                "share_tokens": Amount("value", Emitter()),
            },
        ),
        Event(
            abi=ABI,
            name="Burn",
            into="pool_flows",
            columns={
                "kind": Const("redemption"),
                "pool": Emitter(),
                "account": "burner",
                "asset_token": Const("USD"),
                "share_tokens": Amount("value", Emitter()),
            },
        ),
    ),
    reads=(
        Read(
            name="supply",
            abi=ABI,
            calls=(Call("totalSupply"),),
            every=Seconds(86_400),
            into="share_prices",
            columns={
                "pool": Emitter(),
                "asset_token": Const("USD"),
                "share_price_tokens": Fixed(Int(1), 0),
                "supply_tokens": Amount("totalSupply", Emitter()),
            },
            where=(Equals(OfContract("par"), "USD"),),
            evidence="assumed",
        ),
        Read(
            name="price",
            abi=NAV_FEED,
            calls=(
                Call("latestAnswer"),
                Call("decimals"),
                Call("totalSupply", to=OfContract("token")),
            ),
            every=Seconds(86_400),
            into="share_prices",
            columns={
                "pool": OfContract("token"),
                "asset_token": Const("USD"),
                "share_price_tokens": Fixed("latestAnswer", DecimalsSaid("decimals")),
                "supply_tokens": Amount("totalSupply", OfContract("token")),
            },
        ),
    ),
    tokens=(
        *(Token(chain, address, symbol, 6) for chain, address, symbol in DOLLARS),
        *(
            Token(
                chain_of(fund["chain"]),
                fund["token"],
                fund["symbol"],
                int(fund["decimals"]),
            )
            for fund in FUNDS
        ),
    ),
)
