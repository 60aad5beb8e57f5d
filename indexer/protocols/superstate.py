"""
Superstate: funds whose shares are tokens, bought with stablecoins at the fund's own oracle.

Contracts  USTB and its oracle: https://docs.superstate.com/welcome-to-superstate/smart-contracts,
           another oracle is announced by its token (SetOracle); first block of USTB from
           https://github.com/superstateinc/ustb (contract_deployment/mainnet.json); USCC as
           listed in DefiLlama/dimension-adapters (fees/superstate), and both on Plume, where each
           has the address of another of its contracts on Ethereum. First blocks of the oracle and
           of USCC are not known: no log of either can precede USTB, whose code they share, so all
           windows start there; those on Plume are not known. USTB's redemption contract as in the
           issuer's list; its events from https://github.com/superstateinc/onchain-redemptions,
           another is announced by its token (SetRedemptionContract).
Split      none known: what a subscription is charged goes where the issuer configures it.
Units      shares and the oracle's price 1e6; stablecoins in their own decimals.

A subscription logs Mint as well, just before it: shares are counted there, once, and the
stablecoin is read from the subscription. The first version's Burn became AdminBurn and
OffchainRedeem; Subscribe became SubscribeV2. A redemption contract takes the shares, pays USDC,
burns what it took (Burn, later OffchainRedeem, of its own address) and then logs Redeem, later
RedeemV2: shares are counted at the token, once; holder and USDC are read from the second.
"""

from indexer.chains import ETHEREUM, PLUME
from indexer.spec import (
    Amount,
    Companion,
    Const,
    Contract,
    Discover,
    Emitter,
    Event,
    Exists,
    First,
    Fixed,
    Neg,
    Nonzero,
    OfContract,
    Protocol,
    Sum,
    Time,
    Token,
    Value,
    When,
)

ABI = "superstate/Token"
USTB = "0x43415eb6ff9db7e26a15b704e7a3edce97d31c4e"
USCC = "0x14d60e7fdc0d71d8611742720e4c50e7a974020c"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
REDEMPTION = "superstate/Redemption"
USTB_REDEMPTION = "0x4c21b7577c8fe8b0b0669165ee7c8f67fa1454cf"
USTB_ORACLE = "0xe4fa682f94610ccd170680cc3b045d77d9e528a8"
USTB_DEPLOYED = 18_725_909
USTB_PLUME = "0xe4fa682f94610ccd170680cc3b045d77d9e528a8"
USCC_PLUME = "0x4c21b7577c8fe8b0b0669165ee7c8f67fa1454cf"

BOUGHT = {"minter": "subscriber", "amount": "superstateTokenOutAmount"}
PAID_TOKEN = Companion(("SubscribeV2", "Subscribe"), "stablecoin", BOUGHT, nearest="after")
PAID = First(
    (
        Companion("SubscribeV2", "stablecoinInAmountBeforeFee", BOUGHT, nearest="after"),
        Companion("Subscribe", "stablecoinInAmount", BOUGHT, nearest="after"),
    )
)
REDEEMED = {"amount": "superstateTokenInAmount"}
REDEEMER = Companion(("RedeemV2", "Redeem"), "redeemer", REDEEMED, nearest="after", abi=REDEMPTION)
PAID_OUT = First(
    (
        Companion("RedeemV2", "usdcOutAmountAfterFee", REDEEMED, nearest="after", abi=REDEMPTION),
        Companion("Redeem", "usdcOutAmount", REDEEMED, nearest="after", abi=REDEMPTION),
    )
)
REDEMPTIONS = (("Burn", "from"), ("OffchainRedeem", "src"))
CHARGES: tuple[tuple[str, str], ...] = (
    ("SubscribeV2", "stablecoinInAmountBeforeFee"),
    ("Subscribe", "stablecoinInAmount"),
)
FEE: dict[str, Value] = {
    "market": Emitter(),
    "account": "subscriber",
    "fee_kind": Const("subscription"),
    "fee_token": "stablecoin",
    "split_basis": Const("none"),
}
REDEMPTION_FEE = Sum(("usdcOutAmountBeforeFee", Neg("usdcOutAmountAfterFee")))

PROTOCOL = Protocol(
    slug="superstate",
    name="Superstate",
    kind="rwa",
    methodology=(
        "Mints are Mint of the fund's token, with the stablecoins of the subscription that caused "
        "it, fee included; one without any may be shares that come back from another chain or from "
        "book entry. Redemptions are Burn, AdminBurn and OffchainRedeem, in shares, since "
        "they are paid off chain; those of a redemption contract have the USDC that it paid, fee "
        "deducted, and the holder it paid for. Fees are what subscriptions and that contract "
        "charged. Share prices are the oracle's checkpoints in dollars; between two of them the "
        "oracle extrapolates."
    ),
    left_out=(
        "Shares that move to another chain or into book entry (Bridge): nobody redeems them.",
        "Prices of an oracle of another kind, which logs other events, and of one that a token has "
        "had from its first day: only a change is announced (SetOracle); USTB's is declared.",
        "The moment from which a checkpoint is used (effectiveAt): no column holds it.",
        "Management fees (0.15 % and 0.75 % a year): accrued off chain inside the share price.",
        "Fees of a redemption contract's first versions (Redeem): it logs what it paid alone.",
        "Share prices on Plume: no oracle of these funds is known there. Ethereum's hold for both.",
        "Funds on chains that are not EVM chains.",
    ),
    contracts=(
        Contract(ETHEREUM, ABI, USTB, USTB_DEPLOYED, says={"token": USTB}),
        Contract(ETHEREUM, ABI, USCC, USTB_DEPLOYED, says={"token": USCC}),
        Contract(ETHEREUM, REDEMPTION, USTB_REDEMPTION, USTB_DEPLOYED, says={"token": USTB}),
        Contract(PLUME, ABI, USTB_PLUME, 0, says={"token": USTB_PLUME}),
        Contract(PLUME, ABI, USCC_PLUME, 0, says={"token": USCC_PLUME}),
        Contract(ETHEREUM, "superstate/Oracle", USTB_ORACLE, USTB_DEPLOYED, says={"token": USTB}),
    ),
    discoveries=(
        Discover(ABI, "SetOracle", "newOracle", "superstate/Oracle"),
        Discover(ABI, "SetRedemptionContract", "newRedemptionContract", REDEMPTION),
    ),
    events=(
        Event(
            abi=ABI,
            name="Mint",
            into="pool_flows",
            columns={
                "kind": Const("mint"),
                "pool": Emitter(),
                "account": "to",
                "asset_token": When(Exists(PAID_TOKEN), PAID_TOKEN, Const("USD")),
                "asset_tokens": When(Exists(PAID_TOKEN), Amount(PAID, PAID_TOKEN)),
                "share_tokens": Amount("amount", Emitter()),
            },
        ),
        *(
            Event(
                abi=ABI,
                name=name,
                into="pool_flows",
                columns={
                    "kind": Const("redemption"),
                    "pool": Emitter(),
                    "account": First((REDEEMER, holder)),
                    "asset_token": When(Exists(REDEEMER), Const(USDC), Const("USD")),
                    "asset_tokens": When(Exists(REDEEMER), Amount(PAID_OUT, Const(USDC))),
                    "share_tokens": Amount("amount", Emitter()),
                },
            )
            for name, holder in REDEMPTIONS
        ),
        Event(
            abi=ABI,
            name="AdminBurn",
            into="pool_flows",
            columns={
                "kind": Const("redemption"),
                "pool": Emitter(),
                "account": "src",
                "asset_token": Const("USD"),
                "share_tokens": Amount("amount", Emitter()),
            },
        ),
        Event(
            abi=REDEMPTION,
            name="RedeemV2",
            into="fees",
            columns={
                "market": OfContract("token"),
                "account": "redeemer",
                "fee_kind": Const("redemption"),
                "fee_token": Const(USDC),
                "split_basis": Const("none"),
                "fee_tokens": Amount(REDEMPTION_FEE, Const(USDC)),
            },
            where=(Nonzero(REDEMPTION_FEE),),
        ),
        *(
            Event(
                abi=ABI,
                name=name,
                into="fees",
                columns={
                    **FEE,
                    "fee_tokens": Amount(
                        Sum((before, Neg("stablecoinInAmountAfterFee"))), "stablecoin"
                    ),
                },
                where=(Nonzero(Sum((before, Neg("stablecoinInAmountAfterFee")))),),
            )
            for name, before in CHARGES
        ),
        Event(
            abi="superstate/Oracle",
            name="NewCheckpoint",
            into="share_prices",
            columns={
                "pool": OfContract("token"),
                "asset_token": Const("USD"),
                "share_price_tokens": Fixed("navs", 6),
                "nav_at": Time("timestamp"),
            },
        ),
    ),
    tokens=(
        Token(ETHEREUM, USTB, "USTB", 6),
        Token(ETHEREUM, USCC, "USCC", 6),
        Token(PLUME, USTB_PLUME, "USTB", 6),
        Token(PLUME, USCC_PLUME, "USCC", 6),
        Token(ETHEREUM, USDC, "USDC", 6),
    ),
)
