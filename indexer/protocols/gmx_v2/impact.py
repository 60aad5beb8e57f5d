"""
GMX v2: by what the price impact of a position is computed.

What the contracts read from their store Config sets, which says so with SetUint and SetBool:
`baseKey` is keccak256(abi.encode(the key's name)), `data` what contracts/data/Keys.sol appends.
For factors that is the market and whether the impact is positive; for exponents it was the market
alone, and is both in releases whose RiskOracleConfig.sol decodes both.
"""

from indexer.protocols.gmx_v2.values import ABI, Columns
from indexer.spec import AddressAt, Const, Equals, Event, Fixed, FlagAt, Keyed

# POSITION_IMPACT_FACTOR, POSITION_IMPACT_EXPONENT_FACTOR, USE_OPEN_INTEREST_IN_TOKENS_FOR_BALANCE.
FACTOR = "0xdbe66c23ce3688bc34131316a8b4dd967631de35afb1dbb972bc1b7c71c4a18b"
EXPONENT = "0xdd130ae153fcacdeb3063e386277de2d305638932d8de421f5c79f3919eea233"
IN_TOKENS = "0x75a3957e02e4119004dc68ed9253860288ddffa3fa2751cb5855a7eb30175c8e"

OF_A_MARKET: Columns = {"market": AddressAt("data", 0), "is_positive": FlagAt("data", 1)}
# A factor has 30 places, of which none is lost; of an exponent the contracts, too, take 18 alone
# (Precision.floatToWei).
FACTORS: Columns = {**OF_A_MARKET, "factor_trillionths": Fixed("value", 18)}
EXPONENTS: Columns = {**OF_A_MARKET, "exponent": Fixed("value", 30)}
BALANCE: Columns = {"market": Const("all"), "is_in_tokens": "value"}

IMPACT = (
    Event(ABI, Keyed("SetUint"), "impact_parameters", FACTORS, (Equals("baseKey", FACTOR),)),
    Event(ABI, Keyed("SetUint"), "impact_parameters", EXPONENTS, (Equals("baseKey", EXPONENT),)),
    Event(ABI, Keyed("SetBool"), "impact_parameters", BALANCE, (Equals("baseKey", IN_TOKENS),)),
)
