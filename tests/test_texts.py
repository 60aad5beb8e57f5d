"""Columns of few texts are read as places in a list: every text and null comes back as it was."""

from collections.abc import Iterator

import polars as pl
import pytest
from handmade import table
from polars.testing import assert_frame_equal

from analytics import load
from analytics.texts import as_places, few_texts, spelled

ROW_COUNT = 500_000
TEXTS = ("protocol", "market", "account", "version")
FILLED = f"""
    insert into fees by name
    select
        i as block_number,
        0 as log_index,
        'it''s ' || (i % 3)::varchar as protocol,
        if(i % 3 = 0, null, 'ETH' || (i % 2)::varchar) as market,
        'a' || (i % 1000)::varchar as account
    from range({ROW_COUNT}) as numbers (i)
"""


@pytest.fixture(scope="module")
def con() -> Iterator[load.Connection]:
    """A table large enough to look for few texts."""
    with load.in_memory() as con:
        load.hold(con, {"fees": table("fees").select("block_number", "log_index", *TEXTS)})
        con.execute(FILLED)
        con.execute("analyze")
        yield con


@pytest.mark.parametrize("is_coded", [False, True])
def test_rows_are_those_of_the_table(con: load.Connection, *, is_coded: bool) -> None:
    """Of few texts with quotes and nulls, of many, and of none at all."""
    found = load.facts(con, "fees", is_coded=is_coded)

    texts = {name for name, kind in found.collect_schema().items() if kind == pl.String}
    assert texts == ({"account"} if is_coded else {*TEXTS})
    assert_frame_equal(spelled(found).collect(), con.sql("select * from fees").pl())


def test_a_limit_is_of_the_text_itself(con: load.Connection) -> None:
    """The place of a text in its list has the name of the column, and is no text."""
    found = load.facts(con, "fees", protocol="it's 1").select("protocol", "market").collect()

    asked = "select protocol, market from fees where protocol = 'it''s 1'"
    assert_frame_equal(found, con.sql(asked).pl())
    assert found.height == ROW_COUNT // 3 + 1


def test_what_takes_the_place_of_a_table_has_texts_of_its_own() -> None:
    """A list is of what the table holds, not of what it held."""
    first, other = (
        pl.select(market=pl.repeat(name, ROW_COUNT), block_number=1) for name in ("ETH", "BTC")
    )
    with load.in_memory() as con:
        for rows in (first, other):
            load.hold(con, {"fees": rows})

            assert_frame_equal(load.facts(con, "fees").collect(), rows, check_dtypes=False)


def test_a_database_from_before_there_were_copies_is_none() -> None:
    """An older perpscope made it: nothing is asked of a table that it has not."""
    with load.in_memory() as con:
        assert load.snapshot(con) is None


def test_few_texts_are_listed_once_and_many_are_not(con: load.Connection) -> None:
    """Null is none of them."""
    found = {name: few_texts(lambda sql: con.sql(sql).fetchall(), "fees", name) for name in TEXTS}

    assert sorted(found["market"] or ()) == ["ETH0", "ETH1"]
    assert (found["version"], found["account"]) == ([], None)


def test_only_listed_columns_are_places() -> None:
    """The others are read as they are."""
    assert as_places(["log_index", "market"], {"market": ["ETH"]}) == (
        "log_index, list_position(?::varchar[], market)::uinteger as market"
    )
