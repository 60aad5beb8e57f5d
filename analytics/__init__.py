"""
Facts to reports: opens the database read-only.

A metric is a pure function: lazy frames in, a lazy frame out. The names of its parameters say what
it is given, facts and other metrics by position, settings by keyword only. Its docstring is the
methodology that reports print. `load` reads facts, `metrics` computes, `compute` fills in the
parameters, `reports` shows the results, `studies` holds published figures against rows, `cli` is
the outside.
"""

import os

# So many groups each thread sums up as rows come. Rows of other groups wait in memory for the end:
# with the 4,096 of Polars, nearly all of ten million rows of a million positions. It is read when
# Polars is loaded.
os.environ.setdefault("POLARS_HOT_TABLE_SIZE", str(2**18))
