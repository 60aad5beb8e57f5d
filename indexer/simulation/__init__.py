"""
A chain of our own and a node that serves it, or serves what was recorded of a real one.

`market` and `ledger` make transactions, `blocks` turns them into blocks that verify, `node`
serves chains on loopback, `recording` reads chains from files.
"""
