"""What every declaration of proxies reads alike: that their code was replaced."""

from indexer.spec.arguments import Emitter
from indexer.spec.declarations import Event
from indexer.spec.expressions import Value


def upgraded(
    *abis: str,
    name: str = "Upgraded",
    implementation: str = "implementation",
    is_confirmed: bool = False,
) -> tuple[Event, ...]:
    """
    Return the events that tell which code proxies stand before, one per ABI.

    Every contract with the ABI, declared or discovered, is asked for one event more: name those
    of which a source says that they are proxies, and which kind.

    Args:
        abis: `<slug>/<Contract>` of contracts that say it of themselves, with the event.
        name: the event; as EIP-1967 calls it where nothing is said.
        implementation: its argument with the address of the code.
        is_confirmed: as of an `Event`.
    """
    columns: dict[str, Value] = {"contract": Emitter(), "implementation": implementation}
    return tuple(Event(abi, name, "upgrades", columns, is_confirmed=is_confirmed) for abi in abis)
