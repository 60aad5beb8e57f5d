"""
Sky, once MakerDAO: vaults borrow Dai or USDS against collateral, savers are paid from their fees.

Contracts  https://github.com/sky-ecosystem/spells-mainnet (src/test/addresses_mainnet.sol, a copy
           of the chainlog) and https://github.com/makerdao/dss. The Dog starts at block 12,246,358
           (messari/subgraphs, makerdao), and so do its clippers; everything else with the system,
           block 8,928,152: later first blocks are not confirmed. Auctions that the chainlog names
           no more, those of the Cats among them, are announced by each Bite and Bark.
Split      what savers are paid is supply side, what the Splitter pays is the holders'; jars, fees
           of the peg, settlements of allocators and earnings of direct deposits are treasury. The
           fees of vaults are rate times debt, which is state.
Units      wad 1e18, ray 1e27, rad 1e45. Dollars are Dai and USDS at par, an assumption.
           https://github.com/makerdao/dss
           https://github.com/makerdao/mip21-toolkit
           https://github.com/sky-ecosystem/dss-flappers
           https://github.com/sky-ecosystem/stusds
           https://github.com/makerdao/dss-allocator and https://github.com/makerdao/lockstake
           https://github.com/makerdao/dss-direct-deposit

Vat, Pot and Vow log no events but notes of calls: anonymous, the function's selector as first
topic. Notes of Pot and Vow carry the caller, then its arguments; the Vat's its arguments alone.
Only those of the Vat are read that move Dai into or out of the Pot or to the Vow, as bids do, make
it for savers, or settle with an allocator: the Vow makes itself Dai (suck), and a vault owes it
from then on (grab, without who gets collateral). What a direct deposit has earned its hub says
itself, beside a suck alike.
`pool` of a liquidation is the collateral type (ilk) as text, `account` the urn; the clippers' list
says the token of a type by the same chainlog, of stakers' the one that their engine hands out.
Neither `tab` of a Bite nor `due` of a Bark has the penalty; a Kick's `tab` has. Take says what was
paid and what is left; a sale without anything left to sell leaves bad debt, penalty included. The
Splitter's Kick has the topic of the old auctions' Kick, and other units.
"""

from indexer.chains import ETHEREUM
from indexer.protocols.maker.burns import BURNS, MKR, SHARES, SKY
from indexer.protocols.maker.liquidations import (
    CAT,
    CLIPPER,
    DAI,
    DOG,
    FLIPPER,
    LIQUIDATIONS,
    USDS,
    VOW,
)
from indexer.protocols.maker.prices import PRICES
from indexer.protocols.maker.savings import DIRECT, PEG, POT_AT, SAVINGS, VAULTS
from indexer.protocols.maker.surplus import SURPLUS
from indexer.spec import TOKEN_SUPPLY, Contract, Discover, Protocol, Token, listed

START, DOG_START = 8_928_152, 12_246_358
VAT = "0x35D1b3F3D7966A1DFe207aa4514C12a259A0492B"
NOBODY = "0x0000000000000000000000000000000000000000"
USDC = "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48"
USDP = "0x8e870d67f660d95d5be530380d0ec0bd388289e1"
GUSD = "0x056fd409e1d7a124bd7017459dfea2f387b6d5cd"

SINGLES = (
    ("Cat", "0x78F2c2AF65126834c51822F56Be0d7469D7A523E"),
    ("Cat", "0xa5679C04fc3d9d8b0AaB1F0ab83555b301cA70Ea"),
    ("RwaLiquidationOracle", "0x88f88Bb9E66241B73B84f3A6E197FbBa487b1E30"),
    ("SUsds", "0xa3931d71877C0E7a3148CB7Eb4463524FEc27fbD"),
    ("FlapperUniV2First", "0x0c10Ae443cCB4604435Ba63DA80CCc63311615Bc"),
    ("FlapperUniV2", "0xc5A9CaeBA70D6974cBDFb28120C3611Dd9910355"),
    ("FlapperUniV2SwapOnly", "0x374D9c3d5134052Bc558F432Afa1df6575f07407"),
    ("Spotter", "0x65C79fcB50Ca1594B025960e539eD7A9a6D434A3"),
    ("Splitter", "0xBF7111F13386d23cb2Fba5A538107A73f6872bCF"),
    ("Pot", POT_AT),
    ("Vow", VOW),
)
PEGS = (
    ("0xf6e72Db5454dd049d0788e411b06CfAF16853042", USDC),
    ("0x89B78CfA322F6C5dE0aBcEecab66Aee45393cC5A", USDC),
    ("0x961Ae24a1Ceba861D1FDf723794f6024Dc5485Cf", USDP),
    ("0x204659B2Fd2aD5723975c362Ce2230Fba11d3900", GUSD),
)
CLIPPERS, URNS = listed("maker_clippers"), listed("maker_urns")
# Vaults that allocators (Spark, Grove, Obex and others) draw from; spells say address and ilk of
# each. What stablecoins in the pegs earn comes through jars of their own.
ALLOCATORS = (
    ("ALLOCATOR-SPARK-A", "0x691a6c29e9e96dd897718305427Ad5D534db16BA"),
    ("ALLOCATOR-NOVA-A", "0xe4470DD3158F7A905cDeA07260551F72d4bB0e77"),
    ("ALLOCATOR-BLOOM-A", "0x26512A41C8406800f21094a7a7A0f980f6e25d43"),
    ("ALLOCATOR-OBEX-A", "0xF275110dFE7B80df66a762f968f59B70BABE2b29"),
    ("ALLOCATOR-PATTERN-A", "0xbd34fc6AAa1d3F52B314CB9D78023dd23eAc3B0E"),
    ("ALLOCATOR-PRYSM-A", "0x146181Aa9B362EaEC2eC3aDd7429a06D53B43d1a"),
    ("ALLOCATOR-INTERVAL-A", "0xDD3bE7650589E6A6171d454b026C4AD1a2C02720"),
    ("ALLOCATOR-GROVE-A", "0xf739a30c74927dc6cFA3B67E4933872a1FC5F4EB"),
)
JARS = (
    *((row["ilk"], row["jar"]) for row in URNS if row["jar"]),
    ("PSM-GUSD-A", "0xf2E7a5B83525c3017383dEEd19Bb05Fe34a62C27"),
    ("PSM-PAX-A", "0x8bF8b5C58bb57Ee9C97D0FEA773eeE042B10a787"),
    ("LITE-PSM-USDC-A", "0x69cA348Bd928A158ADe7aa193C133f315803b06e"),
)

PROTOCOL = Protocol(
    slug="maker",
    name="Sky (MakerDAO)",
    kind="credit",
    methodology=(
        "Liquidations are Bite of both Cats and Bark of the Dog: Dai, of stakers USDS, owed "
        "without penalty and collateral taken for auction. Recoveries are Take of each auction of "
        "the Dog, and what each bid in an auction of the Cats adds. Bad debt is what is left of "
        "the debt at the Dog's when nothing is left to sell. All three have the penalty in them, "
        "so that bad debt is at most that: the penalty is nobody's loss. Restarts and removals of "
        "the Dog's auctions are events without amounts. What Cats and Dog hand to the Vow (fess) "
        "is debt that queues for what auctions bring, no loss yet. Real-world vaults draw and "
        "repay at their urns, allocators at their vaults, stakers of SKY at the engine that holds "
        "it; what direct deposits put into other lenders' pools (Wind) and take back is lent and "
        "repaid, and what they earned there (Fees) income. Tell, Cure and Cull of the urns' oracle "
        "are impairments, their removal and defaults, except for two vaults that were wound up. "
        "Savings are calls of the Pot, sUSDS and stUSDS, with the price of a share, which a Cut of "
        "stUSDS lowers; what savers and stakers are paid is known, the fees it comes from are not, "
        "but for what allocators settle by spells and direct deposits earn. Buybacks are what each "
        "flapper swapped; all of it goes to the treasury, nothing is burned. Oracle prices are "
        "what the Spotter is told of a collateral type, before it is discounted. Dollars are Dai "
        "and USDS at par."
    ),
    left_out=(
        "Stability fees: fold of the Vat notes by how much the rate of a collateral type rose, and "
        "the debt that it is multiplied with (Art) is the sum of every frob and grab since the "
        "start: state, which no event says. So are surplus and bad debt of the Vow.",
        "What the surplus pays out: allocators' rewards, budgets.",
        "Loans of ordinary vaults: frob notes normalised debt, and its rate is state. What is "
        "added to the debt of allocators as they settle is in fees, and in no loan. Loans of the "
        "first staking engine, against MKR: what it logs is not confirmed.",
        "What the first direct deposit earned (Reap): its amount is not told. Direct deposits that "
        "are written off (Cull): what they still bring back is not known then.",
        "What keepers are paid to start or restart an auction (coin): the Vat makes it, and of "
        "what the Vat makes only Dai for savers and settlements is read. What a removed auction "
        "still held: Yank tells its number alone.",
        "flap, flog and heal of the Vow: flap tells no amount, what it spends is in Kick and Exec; "
        "flog and heal net the queue against surplus, which is state.",
        "What auctions of the Cats left as bad debt, in March 2020 too, and what they sold: their "
        "end tells a number alone.",
        "Surplus auctions before July 2023, and auctions of debt: their start does not say what "
        "MKR they bring or make.",
        "Locks and releases (Free) of real-world vaults: tokens that stand for a contract, one of "
        "a kind; Bump, and Poke of their collateral: an appraisal, no price. Quit: Dai that an urn "
        "still holds when the system has been shut down.",
        "sDAI: its flows are the Pot's, with sDAI as the account.",
        "Burns of the treasury's SKY (26 June 2025, monthly since September 2026) and conversions "
        "of MKR to SKY: transfers of tokens. In shares of supply a conversion counts as issued "
        "SKY.",
        "What a facilitator makes of the Splitter's share since August 2026 (SBEBeam), and the "
        "days between a spell and its effect: Exec and Kick say what was spent.",
    ),
    contracts=(
        *(Contract(ETHEREUM, f"maker/{name}", address, START) for name, address in SINGLES),
        *(Contract(ETHEREUM, "erc20/Token", address, START) for address in (MKR, SKY)),
        Contract(ETHEREUM, "maker/VatMove", VAT, START, only={"dst": (POT_AT, VOW)}),
        Contract(ETHEREUM, "maker/VatMove", VAT, START, only={"src": (POT_AT,)}),
        Contract(ETHEREUM, "maker/VatSuck", VAT, START, only={"u": (VOW,), "v": (POT_AT, VOW)}),
        Contract(ETHEREUM, "maker/VatGrab", VAT, START, only={"v": (NOBODY,)}),
        Contract(ETHEREUM, DOG, "0x135954d155898D42C90D2a57824C690e0c7BEf1B", DOG_START),
        Contract(
            chain=ETHEREUM,
            abi="maker/StUsds",
            address="0x99CD4Ec3f88A45940936F469E4bB72A2A701EEB9",
            from_block=START,
            says={"asset": USDS},
        ),
        *(
            Contract(ETHEREUM, CLIPPER, row["address"], DOG_START, says={"ilk": row["ilk"]})
            for row in CLIPPERS
        ),
        *(
            Contract(ETHEREUM, "maker/RwaUrn", row["urn"], START, says={"ilk": row["ilk"]})
            for row in URNS
        ),
        *(
            Contract(ETHEREUM, "maker/AllocatorVault", vault, START, says={"ilk": ilk})
            for ilk, vault in ALLOCATORS
        ),
        Contract(
            chain=ETHEREUM,
            abi="maker/LockstakeEngine",
            address="0xCe01C90dE7FD1bcFa39e237FE6D8D9F569e8A6a3",
            from_block=START,
            says={"ilk": "LSEV2-SKY-A"},
        ),
        Contract(ETHEREUM, "maker/D3MHub", "0x12F36cdEA3A28C35aC8C6Cc71D9265c17C74A27F", START),
        Contract(
            chain=ETHEREUM,
            abi="maker/DirectDepositAave",
            address="0xa13C0c8eB109F5A13c6c90FC26AFb23bEB3Fb04a",
            from_block=START,
            says={"ilk": "DIRECT-AAVEV2-DAI"},
        ),
        *(Contract(ETHEREUM, "maker/RwaJar", jar, START, says={"ilk": ilk}) for ilk, jar in JARS),
        *(
            Contract(ETHEREUM, "maker/DssPsm", address, START, says={"asset": asset})
            for address, asset in PEGS
        ),
    ),
    discoveries=(
        Discover(CAT, "Bite", child="flip", child_abi=FLIPPER),
        Discover(DOG, "Bark", child="clip", child_abi=CLIPPER),
    ),
    events=(*LIQUIDATIONS, *SAVINGS, *SURPLUS, *VAULTS, *DIRECT, *PEG, *BURNS, *PRICES),
    reads=(TOKEN_SUPPLY,),
    policies=SHARES,
    tokens=(
        Token(ETHEREUM, DAI, "DAI", 18),
        Token(ETHEREUM, USDS, "USDS", 18),
        Token(ETHEREUM, MKR, "MKR", 18),
        Token(ETHEREUM, SKY, "SKY", 18),
        Token(ETHEREUM, USDC, "USDC", 6),
        Token(ETHEREUM, USDP, "USDP", 18),
        Token(ETHEREUM, GUSD, "GUSD", 2),
        *(Token(ETHEREUM, row["token"], row["symbol"], int(row["decimals"])) for row in CLIPPERS),
    ),
)
