"""
A chain under our control and a node in front of it that misbehaves as real ones do.

`live` is the chain: it grows, is reorganised to any depth at any moment, and its tags move.
`fault` says what a fault is; `omissions`, `lies`, `refusals`, `breakdowns` and `moves` hold one
small function each per fault, and `catalogue` lists them all. `node` serves a chain over HTTP on
loopback and lets faults strike when a seed says so. `transfers` makes large chains.
"""
