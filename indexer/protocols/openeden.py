"""
OpenEden: TBILL, shares of a treasury fund bought and redeemed for USDC at the fund's own price.

Contracts  https://github.com/OpenEdenHQ/openeden.vault.audit (deployed-addresses.md, and the
           audited sources for the events of the generations); first block on Ethereum from
           tradingstrategy-ai/web3-ethereum-defi; on Arbitrum and BNB Chain not known.
Split      none known: fees go to the operator's treasury, which the log names, and to partners.
Units      shares and money in the vault's decimals, which are its asset's; prices in the oracle's,
           which it is asked for.

ProcessDeposit and ProcessWithdraw come with Deposit and Withdraw of the same money and are read
alone. Their fee changed from one number to three, of which a partner's may be negative: the whole
is what is charged, whatever its parts add up to.
"""

from indexer.chains import ARBITRUM, BSC, ETHEREUM
from indexer.spec import (
    Amount,
    Call,
    Const,
    Contract,
    DecimalsSaid,
    Emitter,
    Event,
    Fixed,
    Nonzero,
    OfContract,
    Protocol,
    Read,
    Seconds,
    Token,
    Value,
)

VAULT = "openeden/Vault"
TBILL = "0xdd50c053c096cb04a3e3362e2b622529ec5f2e8a"
TBILL_ARBITRUM = "0xf84d28a8d28292842dd73d1c5f99476a80b6666a"
TBILL_BSC = "0x5b4681f0d7a01b817675f25892d3ad73572fd1d9"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"

DEPOSITS = (
    ("ProcessDeposit(address,address,uint256,uint256,uint256,address,address)", "txsFee"),
    (
        "ProcessDeposit(address,address,uint256,uint256,uint256,uint256,uint256,address,address)",
        "totalFee",
    ),
    (
        "ProcessDeposit(address,address,uint256,uint256,uint256,int256,uint256,address,address)",
        "totalFee",
    ),
)
WITHDRAWALS = (
    (
        "ProcessWithdraw(address,address,uint256,uint256,uint256,uint256,uint256,bytes32,address)",
        "txFee",
    ),
    (
        "ProcessWithdraw("
        "address,address,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes32,address)",
        "totalFee",
    ),
    (
        "ProcessWithdraw("
        "address,address,uint256,uint256,uint256,uint256,uint256,int256,uint256,bytes32,address)",
        "totalFee",
    ),
)
MONEY: dict[str, Value] = {"pool": Emitter(), "asset_token": OfContract("asset")}
FEE: dict[str, Value] = {
    "market": Emitter(),
    "fee_token": OfContract("asset"),
    "split_basis": Const("none"),
}

PROTOCOL = Protocol(
    slug="openeden",
    name="OpenEden",
    kind="rwa",
    methodology=(
        "Deposits are ProcessDeposit, with the fee inside what was paid; withdrawals are "
        "ProcessWithdraw, with what was received. Fees are what either charged, and management "
        "fees when the operator claims them. Share prices are asked of the price oracle once a "
        "day, in dollars, with the supply."
    ),
    left_out=(
        "Deposit and Withdraw of the vault: the same money again.",
        "Requests to redeem and their cancelling (AddToWithdrawalQueue, ProcessRedeemCancel): "
        "shares wait in the vault.",
        "Shares that the maintainer makes, burns or moves to a new wallet (MintTo, BurnFrom, "
        "ReIssue): no money is told with them; the daily supply has them.",
        "Management fees as they accrue (UpdateEpoch): counted when they are claimed.",
        "Prices from logs (UpdatePrice): the oracle's decimals are in no log.",
        "The asset's address on Arbitrum and BNB Chain, which no source confirms; TBILL on XRP "
        "Ledger and Solana; USDO, a stablecoin of the same house.",
    ),
    untold_shares="the maintainer makes and destroys them",
    contracts=(
        Contract(ETHEREUM, VAULT, TBILL, 18_376_020, says={"asset": USDC}),
        Contract(ARBITRUM, VAULT, TBILL_ARBITRUM, 0),
        Contract(BSC, VAULT, TBILL_BSC, 0),
        Contract(
            ETHEREUM,
            "openeden/PriceOracle",
            "0xce9a6626eb99eaea829d7fa613d5d0a2eae45f40",
            18_375_985,
            says={"token": TBILL},
        ),
        Contract(
            ARBITRUM,
            "openeden/PriceOracle",
            "0xc0952c8ba068c887b675b4182f3a65420d045f46",
            0,
            says={"token": TBILL_ARBITRUM},
        ),
        Contract(
            BSC,
            "openeden/PriceOracle",
            "0x3347d0c6e2bd23b1148fbb7fef5f0fed281612a8",
            0,
            says={"token": TBILL_BSC},
        ),
    ),
    events=(
        *(
            Event(
                abi=VAULT,
                name=name,
                into="pool_flows",
                columns={
                    **MONEY,
                    "kind": Const("deposit"),
                    "account": "receiver",
                    "asset_tokens": Amount("assets", Emitter()),
                    "share_tokens": Amount("shares", Emitter()),
                },
            )
            for name, _ in DEPOSITS
        ),
        *(
            Event(
                abi=VAULT,
                name=name,
                into="pool_flows",
                columns={
                    **MONEY,
                    "kind": Const("withdrawal"),
                    "account": "sender",
                    "asset_tokens": Amount("actualAssets", Emitter()),
                    "share_tokens": Amount("actualShare", Emitter()),
                },
            )
            for name, _ in WITHDRAWALS
        ),
        *(
            Event(
                abi=VAULT,
                name=name,
                into="fees",
                columns={
                    **FEE,
                    "account": "sender",
                    "fee_kind": Const(kind),
                    "fee_tokens": Amount(charged, Emitter()),
                },
                where=(Nonzero(charged),),
            )
            for kind, generations in (("subscription", DEPOSITS), ("redemption", WITHDRAWALS))
            for name, charged in generations
        ),
        Event(
            abi=VAULT,
            name="ClaimServiceFee",
            into="fees",
            columns={
                **FEE,
                "fee_kind": Const("management"),
                "fee_tokens": Amount("amount", Emitter()),
            },
        ),
    ),
    reads=(
        Read(
            name="price",
            abi="openeden/PriceOracle",
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
        Token(ETHEREUM, TBILL, "TBILL", 6),
        Token(ARBITRUM, TBILL_ARBITRUM, "TBILL", 6),
        Token(BSC, TBILL_BSC, "TBILL", 18),
    ),
)
