"""
Superstate: funds whose shares are tokens, bought with stablecoins at the fund's own oracle.

Contracts  USTB and its oracle: https://docs.superstate.com/welcome-to-superstate/smart-contracts,
           another oracle is announced by its token (SetOracle); first block of USTB from
           https://github.com/superstateinc/ustb (contract_deployment/mainnet.json); USCC as
           listed in DefiLlama/dimension-adapters (fees/superstate), and both on Plume, where each
           has the address of another of its contracts on Ethereum. First blocks of the oracle and
           of USCC are not known: no log of either can precede USTB, whose code they share, so all
           windows start there; those on Plume are not known.
Split      none known: what a subscription is charged goes where the issuer configures it.
Units      shares and the oracle's price 1e6; stablecoins in their own decimals.

A subscription logs Mint as well, just before it: shares are counted there, once, and the
stablecoin is read from the subscription. The first version's Burn became AdminBurn and
OffchainRedeem; Subscribe became SubscribeV2.
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
REDEMPTIONS = (("Burn", "from"), ("AdminBurn", "src"), ("OffchainRedeem", "src"))
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

PROTOCOL = Protocol(
    slug="superstate",
    name="Superstate",
    kind="rwa",
    methodology=(
        "Mints are Mint of the fund's token, with the stablecoins of the subscription that caused "
        "it, fee included; one without any may be shares that come back from another chain or from "
        "book entry. Redemptions are Burn, AdminBurn and OffchainRedeem, in shares, since "
        "they are paid off chain. Fees are what subscriptions were charged. Share prices are the "
        "oracle's checkpoints in dollars; between two of them the oracle extrapolates."
    ),
    left_out=(
        "Shares that move to another chain or into book entry (Bridge): nobody redeems them.",
        "Prices of an oracle of another kind, which logs other events, and of one that a token has "
        "had from its first day: only a change is announced (SetOracle); USTB's is declared.",
        "The moment from which a checkpoint is used (effectiveAt): no column holds it.",
        "Management fees (0.15 % and 0.75 % a year): accrued off chain inside the share price.",
        "Redemptions of USDC on chain (RedemptionIdle): its events are not confirmed.",
        "Share prices on Plume: no oracle of these funds is known there. Ethereum's hold for both.",
        "Funds on chains that are not EVM chains.",
    ),
    contracts=(
        Contract(ETHEREUM, ABI, USTB, USTB_DEPLOYED, says={"token": USTB}),
        Contract(ETHEREUM, ABI, USCC, USTB_DEPLOYED, says={"token": USCC}),
        Contract(PLUME, ABI, USTB_PLUME, 0, says={"token": USTB_PLUME}),
        Contract(PLUME, ABI, USCC_PLUME, 0, says={"token": USCC_PLUME}),
        Contract(ETHEREUM, "superstate/Oracle", USTB_ORACLE, USTB_DEPLOYED, says={"token": USTB}),
    ),
    discoveries=(Discover(ABI, "SetOracle", "newOracle", "superstate/Oracle"),),
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
                    "account": account,
                    "asset_token": Const("USD"),
                    "share_tokens": Amount("amount", Emitter()),
                },
            )
            for name, account in REDEMPTIONS
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
        Token(ETHEREUM, "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48", "USDC", 6),
    ),
)
