"""
Facts to reports: opens the database read-only.

A metric is a pure function from LazyFrames to a LazyFrame. The names of its parameters are the
facts or metrics it needs, its keyword-only parameters are settings, and its docstring is the
methodology that reports print. `load` reads facts, `metrics` computes, `compute` wires them by
parameter name, `reports` shows them, `cli` is the outside.
"""
