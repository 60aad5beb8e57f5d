"""Where to look when a sum is more than DECIMAL(38,18) can hold: the largest amounts there are."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from analytics.errors import REFUSALS, TooLarge, WorldError

Ask = Callable[[str], list[Any]]

# As Polars says it: of sums, and of products that are as large before they are exact again.
_IS_TOO_LARGE = re.compile(r"overflow|conversion from `f64` to `i128` failed")
# Enough to see which are of another size than the rest.
_NAMED = 3
_AMOUNTS = """
    select amounts.table_name, amounts.column_name
    from duckdb_columns() as amounts
    inner join duckdb_columns() as hashes using (table_name)
    where amounts.data_type = 'DECIMAL(38,18)' and hashes.column_name = 'tx_hash'
"""


@contextmanager
def largest_named(ask: Ask) -> Iterator[None]:
    """
    Say of a sum that is too large which amounts of the database are the largest.

    Args:
        ask: returns the rows of a SELECT from the database.

    Raises:
        WorldError: a sum is larger than DECIMAL(38,18) can hold.
    """
    try:
        yield
    except (TooLarge, *REFUSALS) as error:
        said = str(error).splitlines()[0]
        if not _IS_TOO_LARGE.search(said):
            raise
        raise WorldError(
            f"{said}: the largest amounts are {_largest(ask)}; where the unit of one is wrong, "
            "correct its declaration and index again, else leave it out with --protocol, --from "
            "or --to"
        ) from error


def _largest(ask: Ask) -> str:
    each = (
        f"select '{table}.{column}' as place, max(abs({column})) as amount, "
        f"arg_max(tx_hash, abs({column})) as tx_hash from {table}"
        for table, column in ask(_AMOUNTS)
    )
    found = ask(f"{' union all '.join(each)} order by amount desc nulls last limit {_NAMED}")
    return ", ".join(
        f"{amount:,.0f} in {place} of {tx_hash}" for place, amount, tx_hash in found if tx_hash
    )
