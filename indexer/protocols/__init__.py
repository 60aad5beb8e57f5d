"""
Every protocol perpscope knows: the modules of this package, discovered, never listed by hand.

A new protocol is one file here with a `PROTOCOL`, and its event ABIs under `abis/<slug>/`.
"""

from importlib import import_module
from pkgutil import iter_modules

from indexer.spec import Protocol

PROTOCOLS: dict[str, Protocol] = {
    protocol.slug: protocol
    for protocol in (
        import_module(f"{__name__}.{module.name}").PROTOCOL for module in iter_modules(__path__)
    )
}
