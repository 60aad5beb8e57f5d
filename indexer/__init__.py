"""
Nodes to facts: the only package that writes.

Read in the order the data flows: `chains`, `spec` and `protocols` say what exists; `rpc` asks
nodes; `decode` turns raw logs into typed columns; `facts` turns columns and declarations into
rows; `store` writes them, `schema.sql` says what they mean; `sync` decides what to fetch next,
`imports` reads files of venues that are no EVM chain;
`simulation` is a small market and a loopback node to try it all on; `cli` is the outside.
"""
