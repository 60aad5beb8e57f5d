"""
USYC (Hashnote, now Circle): shares of a money market fund, priced by a report on business days.

Contracts  https://usyc.docs.hashnote.com/overview/smart-contracts. The aggregator is the one read
           by DefiLlama (projects/hashnote); its first block is not known: no report can precede the
           token, whose first block tradingstrategy-ai/web3-ethereum-defi states. The token on BNB
           Chain as Circle lists it (https://developers.circle.com/tokenized/usyc/smart-contracts);
           its first block is not known.
Split      none: the fund's fees are taken before a report, inside its interest.
Units      shares 1e6; prices 1e8; balance and interest of a report 1e2, and not read.

A report has been logged with five, four and three arguments. Five are what Ethereum's aggregator
logs; three are those of a contract for tests, read alike if they ever appear at its address. Four
belonged to SDYC, another token.
"""

from indexer.chains import BSC, ETHEREUM
from indexer.spec import (
    Amount,
    Const,
    Contract,
    Emitter,
    Equals,
    Event,
    Fixed,
    Not,
    OfContract,
    Protocol,
    Time,
    Token,
)

ERC20 = "erc20/Token"
USYC = "0x136471a34f6ef19fe571effc1ca711fdb8e49f2b"
USYC_BSC = "0x8d0fa28f221eb5735bc71d3a0da67ee5bc821311"
AGGREGATOR = "0x4c48bcb2160f8e0adbf9d4f3b034f1e36d1f8b3e"
DEPLOYED = 17_381_914
NOBODY = "0x0000000000000000000000000000000000000000"
REPORTS = (
    "BalanceReported(uint80,uint256,uint256,uint256,uint256)",
    "BalanceReported(uint80,uint256,uint256)",
)

PROTOCOL = Protocol(
    slug="usyc",
    name="USYC",
    kind="rwa",
    methodology=(
        "Mints and redemptions are transfers of the token from and to nobody, in shares: what was "
        "paid is told by no log that is confirmed. A mint on BNB Chain may be shares that a teller "
        "moved from Ethereum, or back. Share prices are the reports, in dollars, as of the moment "
        "they name."
    ),
    left_out=(
        "What was paid for shares: the events of the Teller are not confirmed.",
        "Interest of a report: it is inside the price already.",
        "The oracle that Circle names since 2024 (0x74f2…1f53): the same prices, and its events "
        "are not confirmed.",
        "Share prices on BNB Chain: its shares have Ethereum's.",
        "USYC on chains that are not EVM chains.",
    ),
    contracts=(
        Contract(ETHEREUM, ERC20, USYC, DEPLOYED, only={"from": (NOBODY,)}),
        Contract(ETHEREUM, ERC20, USYC, DEPLOYED, only={"to": (NOBODY,)}),
        Contract(BSC, ERC20, USYC_BSC, 0, only={"from": (NOBODY,)}),
        Contract(BSC, ERC20, USYC_BSC, 0, only={"to": (NOBODY,)}),
        Contract(ETHEREUM, "usyc/Aggregator", AGGREGATOR, DEPLOYED, says={"token": USYC}),
    ),
    events=(
        *(
            Event(
                abi=ERC20,
                name="Transfer",
                into="pool_flows",
                columns={
                    "kind": Const(kind),
                    "pool": Emitter(),
                    "account": account,
                    "asset_token": Const("USD"),
                    "share_tokens": Amount("value", Emitter()),
                },
                where=(Equals(nobody, NOBODY), Not(Equals(account, NOBODY))),
            )
            for kind, nobody, account in (("mint", "from", "to"), ("redemption", "to", "from"))
        ),
        *(
            Event(
                abi="usyc/Aggregator",
                name=name,
                into="share_prices",
                columns={
                    "pool": OfContract("token"),
                    "asset_token": Const("USD"),
                    "share_price_tokens": Fixed("price", 8),
                    "nav_at": Time("updatedAt"),
                },
            )
            for name in REPORTS
        ),
    ),
    tokens=(Token(ETHEREUM, USYC, "USYC", 6), Token(BSC, USYC_BSC, "USYC", 6)),
)
