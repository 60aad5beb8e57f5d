"""Chronicle: pokes built from the ABI (synthetic), and recorded medians."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from goldens import Built, built_facts, facts_of, log, reasons, rows, scaled
from recordings import captured, of_chain, place, words

from indexer.chains import ETHEREUM, GNOSIS, UNICHAIN
from indexer.facts import feeds
from indexer.protocols import PROTOCOLS

ETH_USD, ON_GNOSIS = (
    "0x1174948681bb05748e3682398d9b7a6836b07554",
    "0x5e16ca75000fb2b9d7b1184fa24ff5d938a345ef",
)
MEDIAN = "0x64de91f5a373cd4c28de3600cb34c7c6ce410c85"
AGE = 1_700_000_000
CALLER = "0x" + "ee" * 20


def poked(scribe: str, val: int) -> Built:
    """Return a poke that counts at once."""
    return log("chronicle/Scribe", "Poked", scribe, caller=CALLER, val=val, age=AGE)


def test_a_poke_is_a_price_of_18_decimals() -> None:
    """The time is when the price was computed."""
    result = built_facts("chronicle", GNOSIS, [poked(ON_GNOSIS, 2_500 * 10**18 + 1)])

    assert rows(result, "oracle_updates") == [
        {
            "feed": ON_GNOSIS,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": Decimal("2500.000000000000000001"),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "provider": "chronicle",
        }
    ]
    assert result.tables["oracle_updates"]["version"].to_list() == ["scribe"]
    assert reasons(result) == []


def test_one_address_is_another_feed_on_another_chain() -> None:
    """The address of USDS on Ethereum is that of wstETH's rate on Unichain."""
    usds = "0x74661a9ea74fd04975c6ebc6b155abf8f885636c"

    said = [
        rows(built_facts("chronicle", chain, [poked(usds, 10**18)]), "oracle_updates")
        for chain in (ETHEREUM, UNICHAIN)
    ]

    pairs = [(row["asset"], row["quote"]) for (row,) in said]
    assert pairs == [("USDS", "USD"), ("WSTETH", "ETH")]
    assert set(feeds([PROTOCOLS["chronicle"]], UNICHAIN)["kind"]) == {"exchange_rate"}


def test_an_optimistic_poke_says_so() -> None:
    """Price and age are in its poke data; the version tells that it may be challenged yet."""
    optimistic = log(
        "chronicle/Scribe",
        "OpPoked",
        ETH_USD,
        caller=CALLER,
        opFeed="0x" + "0f" * 20,
        schnorrData=(b"\x01" * 32, CALLER, b"\x02" * 13),
        pokeData=(1_999 * 10**18, AGE),
    )

    result = built_facts("chronicle", ETHEREUM, [optimistic])

    (row,) = rows(result, "oracle_updates")
    assert (row["asset"], row["oracle_price_quote"]) == ("ETH", Decimal(1_999))
    assert row["observed_at"] == datetime(2023, 11, 14, 22, 13, 20)
    assert result.tables["oracle_updates"]["version"].to_list() == ["optimistic"]


def test_a_median_is_a_price_without_a_caller() -> None:
    """Contracts before the scribes log a price of 18 decimals and when it was computed."""
    said = log("chronicle/Median", "LogMedianPrice", MEDIAN, val=1_800 * 10**18 + 5, age=AGE)

    result = built_facts("chronicle", ETHEREUM, [said])

    assert rows(result, "oracle_updates") == [
        {
            "feed": MEDIAN,
            "asset": "ETH",
            "quote": "USD",
            "oracle_price_quote": Decimal("1800.000000000000000005"),
            "observed_at": datetime(2023, 11, 14, 22, 13, 20),
            "provider": "chronicle",
        }
    ]
    assert result.tables["oracle_updates"]["version"].to_list() == ["median"]


def test_every_recorded_median_becomes_its_row(shared: Path) -> None:
    """ETH/USD and LINK/USD, and BAL/USD, which had ended when Chronicle listed its own."""
    logs = captured(shared, "0xb78ebc57")

    table = facts_of("chronicle", ETHEREUM, of_chain(logs, "ethereum")).tables["oracle_updates"]

    said = {place(one): words(one) for one in logs}
    found = table.select("tx_hash", "log_index", "asset", "oracle_price_quote", "observed_at")
    assert len(logs) == 3
    assert sorted(found["asset"]) == ["BAL", "ETH", "LINK"]
    for tx_hash, number, _, price, observed_at in found.iter_rows():
        value, age = said[tx_hash, number]
        assert price == scaled(value, 18)
        assert observed_at.replace(tzinfo=UTC).timestamp() == age


def test_heartbeats_are_those_of_the_configuration() -> None:
    """Half a day and 1 % for the optimistic ETH/USD, a day for the median, four hours on Gnosis."""
    named = {
        feed: due
        for feed, *due in feeds([PROTOCOLS["chronicle"]], ETHEREUM)
        .select("feed", "heartbeat_seconds", "threshold_bps")
        .iter_rows()
    }

    assert named[ETH_USD] == [43_200, 100]
    assert named[MEDIAN] == [86_400, 100]
    assert set(feeds([PROTOCOLS["chronicle"]], GNOSIS)["heartbeat_seconds"]) == {14_400}
