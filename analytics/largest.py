"""Where to look when a sum is more than DECIMAL(38,18) can hold: the largest amounts there are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from analytics.errors import TooLarge, WorldError
from analytics.refusals import REFUSALS, refusal

Ask = Callable[[str], list[Any]]

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
        WorldError: a sum is larger than DECIMAL(38,18) can hold, or Polars refuses otherwise.
    """
    try:
        yield
    except TooLarge as error:
        raise _named(error, ask) from error
    except REFUSALS as error:
        told = refusal(error)
        raise (_named(told, ask) if isinstance(told, TooLarge) else told) from error


def _named(error: TooLarge, ask: Ask) -> WorldError:
    return WorldError(
        f"{error}: the largest amounts are {_largest(ask)}; where the unit of one is wrong, "
        "correct its declaration and index again, else leave it out with --protocol, --from "
        "or --to"
    )


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
