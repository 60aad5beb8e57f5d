"""
Raw logs to typed columns: exact, vectorised, canonical ABI encoding only.

Reading order: `abi` (what an event looks like), `layout` (its types as a tree), `walk` (one row,
word by word: what is accepted and why not), `template` (one walked row speaks for all rows of its
shape), `gather` (a batch), `columns` and `keyed` (the two ways in), `limbs` and `int256` (the
arithmetic on what comes out).
"""
