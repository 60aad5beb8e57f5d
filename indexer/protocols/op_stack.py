"""
OP Mainnet and Base: what users pay their sequencers, when it is taken out of the fee vaults.

Contracts  predeploys, at one address on every chain of the kind; windows start with Bedrock, which
           Base began with. npm @eth-optimism/contracts-bedrock 0.17.3 (src/universal/FeeVault.sol)
Split      none: what the operator pays Ethereum for data is spent there.
Units      ether, 1e18.

A withdrawal of a later vault logs two events of one name; the one with three arguments, which the
earlier log alone, is read, and the other is not.
"""

from indexer.chains import BASE, OPTIMISM
from indexer.spec import Const, Contract, Emitter, Equals, Event, Fixed, Nonzero, Not, Protocol

BEDROCK = ((OPTIMISM, 105_235_063), (BASE, 0))
VAULTS = (
    "0x4200000000000000000000000000000000000011",  # tips, of the sequencer
    "0x4200000000000000000000000000000000000019",  # base fees
    "0x420000000000000000000000000000000000001A",  # for data on Ethereum
    "0x420000000000000000000000000000000000001b",  # of operators, since Isthmus
)
BASE_FEES = VAULTS[1].lower()

PROTOCOL = Protocol(
    slug="op_stack",
    name="OP Mainnet and Base (fee vaults)",
    kind="chain",
    methodology=(
        "Fees are what is withdrawn from each of a chain's four fee vaults, in ether, without "
        "dollars and without a split: at the time they are taken out, not when they were paid."
    ),
    left_out=(
        "What lies in the vaults: the fees of a period are what was withdrawn and how much their "
        "balances rose, and the balance of an account is not read.",
        "Fees on OP Mainnet before Bedrock (June 2023): its vault paid them out without an event.",
        "What the batcher pays on Ethereum for data, without which there is no profit.",
        "What one vault pays into that of base fees, as that of operator fees does as it was "
        "deployed: the same ether is counted when it leaves there.",
        "Other chains of the kind: no source here confirms them.",
    ),
    contracts=tuple(
        Contract(chain, "op_stack/FeeVault", vault, from_block)
        for chain, from_block in BEDROCK
        for vault in VAULTS
    ),
    events=(
        Event(
            abi="op_stack/FeeVault",
            name="Withdrawal",
            into="fees",
            columns={
                "market": Emitter(),
                "fee_kind": Const("sequencer"),
                "fee_token": Const("ETH"),
                "fee_tokens": Fixed("value", 18),
                "split_basis": Const("none"),
            },
            where=(Nonzero("value"), Not(Equals("to", BASE_FEES))),
        ),
    ),
)
