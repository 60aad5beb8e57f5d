"""
Facts to reports: opens the database read-only.

A metric is a pure function from LazyFrames to a LazyFrame. What it is called with it finds by the
names of its parameters: facts and other metrics by position, settings by keyword only. Its
docstring is the methodology that reports print. `load` reads facts, `metrics` computes, `compute` wires them by
parameter name, `reports` shows them, `cli` is the outside.
"""
