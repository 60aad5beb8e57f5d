"""Files that are missing or malformed, the table of claims, and the verdict on one of them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from inspect import getdoc
from pathlib import Path

import polars as pl
import pytest

from analytics.errors import UserError
from analytics.studies.claims import Claim, claims, judged, shown, stated
from analytics.studies.files import FILES, Unusable, read
from analytics.studies.record import FIGURES, hyperliquid

CLAIMS = claims("hyperliquid_2025_10_10.csv")
GAPS = "price_gaps"
CLUSTERS = "queue_clusters"


def written(folder: Path, name: str, content: str) -> Path:
    """Write a file of the study where it is looked for, and return the folder."""
    path = folder / FILES[name].path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    return folder


def test_columns_are_read_by_name(tmp_path: Path) -> None:
    """Their order does not matter, others are left out, amounts become decimals."""
    folder = written(tmp_path, GAPS, "coin,more,gap_usd_x_qty,wave\nBTC,1,0.1,2\n")

    frame = read(folder, FILES[GAPS])

    assert frame.rows() == [(2, "BTC", Decimal("0.1"))]
    assert frame.schema["gap_usd_x_qty"] == pl.Decimal(38, 9)


def test_moments_lose_their_zone_and_days_their_text(tmp_path: Path) -> None:
    """A time with a zone becomes UTC without one, a day in text a date."""
    moment = datetime(2025, 12, 25, 3, 41, tzinfo=UTC)
    path = tmp_path / FILES["aster_transfers"].path
    path.parent.mkdir(parents=True)
    pl.DataFrame(
        {
            "stage": [5],
            "block_timestamp": [moment],
            "transaction_hash": ["0x1"],
            "log_index": [1],
            "value": [1.5],
        }
    ).write_parquet(path)

    frame = read(tmp_path, FILES["aster_transfers"])

    assert frame["block_timestamp"].to_list() == [moment.replace(tzinfo=None)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("coin,wave\nBTC,1\n", "lacks gap_usd_x_qty"),
        ("nothing\n", "lacks wave, coin, gap_usd_x_qty"),
        ("coin,wave,gap_usd_x_qty\n", "has no rows"),
        ("coin,wave,gap_usd_x_qty\nBTC,first,1\n", "has other values than it should"),
        ("", "cannot be read"),
        ("a,b\n1,2,3\n", "cannot be read"),
    ],
)
def test_a_malformed_file_is_named(tmp_path: Path, content: str, said: str) -> None:
    """With what is wrong with it."""
    folder = written(tmp_path, GAPS, content)

    with pytest.raises(Unusable, match=f"{GAPS.replace('price_gaps', 'gap_per_contract')}.csv"):
        read(folder, FILES[GAPS])
    with pytest.raises(Unusable, match=said):
        read(folder, FILES[GAPS])


@pytest.mark.parametrize("name", ["tickers", "outliers"])
def test_what_is_no_parquet_and_no_gzip_is_named(tmp_path: Path, name: str) -> None:
    """A file that was cut off or replaced stops nothing else."""
    folder = written(tmp_path, name, "PAR1 or not\n")

    with pytest.raises(Unusable, match=r"cannot be read|lacks"):
        read(folder, FILES[name])


def test_a_missing_file_spoils_only_its_own_figures(tmp_path: Path) -> None:
    """One file is there, one is malformed, all others are missing."""
    written(tmp_path, GAPS, "coin,wave,gap_usd_x_qty\nBTC,1,15079669.61\n")
    written(tmp_path, CLUSTERS, "deficit_usd\n1\n")

    study = hyperliquid(tmp_path)
    verdicts = dict(study.figures.drop_nulls("key").select("key", "verdict").iter_rows())
    notes = dict(study.figures.drop_nulls("key").select("key", "note").iter_rows())

    assert verdicts.pop("needed_budget.needed_usd") == "match"
    assert verdicts.pop("needed_budget.rows") == "differs"
    assert {*verdicts.values()} == {"not testable"}
    assert notes["queue_overshoot.overshoot_usd"] == (
        "hyperliquid/adl_waves_mit/per_shock_metrics_queue.csv lacks overshoot_queue_usd"
    )
    assert notes["usde_lows.low_usdt"] == "oracles/usde_binance_1m.parquet is not there"
    assert study.files["rows"].drop_nulls().to_list() == [1]


def test_a_sum_that_does_not_fit_spoils_only_its_own_figures(tmp_path: Path) -> None:
    """Its figures say so, the others are there."""
    written(tmp_path, CLUSTERS, "deficit_usd,overshoot_queue_usd\n" + "0,9e28\n" * 99)
    written(tmp_path, GAPS, "coin,wave,gap_usd_x_qty\nBTC,1,15079669.61\n")

    study = hyperliquid(tmp_path)
    lines = {key: rest for key, *rest in study.figures.select("key", "verdict", "note").iter_rows()}

    assert lines["needed_budget.needed_usd"][0] == "match"
    assert lines["queue_overshoot.overshoot_usd"][0] == "not testable"
    assert "cannot be computed" in lines["queue_overshoot.overshoot_usd"][1]


def test_no_file_at_all_is_an_error(tmp_path: Path) -> None:
    """With nothing read there is no study: the user named another folder, exit 2."""
    with pytest.raises(UserError, match=r"none of the \d+ files .* --data"):
        hyperliquid(tmp_path)


def test_claims_are_computed_by_functions_that_exist() -> None:
    """Every key names a function of the study; every other line says what it needs."""
    for claim in CLAIMS:
        assert (claim.function in FIGURES) if claim.key else claim.note.startswith("needs ")


def test_claims_say_how_exact_they_are() -> None:
    """A published number has a tolerance, a time and an unpublished figure have none."""
    for claim in CLAIMS:
        is_number = bool(claim.key and claim.published and claim.unit != "UTC")
        assert bool(claim.tolerance) == is_number, claim.figure
        assert claim.source
        assert claim.theme


def test_claims_are_named_once() -> None:
    """Theme and figure tell one from another."""
    assert len({(claim.theme, claim.figure) for claim in CLAIMS}) == len(CLAIMS)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_is_its_own_methodology(name: str) -> None:
    """Formula, inputs, result and source, as of a metric."""
    said = (getdoc(FIGURES[name]) or "").splitlines()

    assert {"Formula:", "Args:", "Returns:", "Source:"} <= {*said}


def claim(published: str, tolerance: str, key: str = "f.x") -> Claim:
    """Return a claim about f.x."""
    return Claim("ADL", "x", key, published, "USD", tolerance, "somebody", "needs f")


@pytest.mark.parametrize(
    ("published", "tolerance", "value", "verdict"),
    [
        ("64.4", "0.05", 64.45, "match"),
        ("64.4", "0.05", 64.4501, "differs"),
        ("0.3", "0", 0.1 + 0.2, "differs"),
        ("-5", "0", Decimal("-5.000"), "match"),
        ("", "", 7, "unpublished"),
        ("7", "0", None, "not testable"),
        ("2025-10-10T21:36:00Z", "", datetime(2025, 10, 10, 21, 36), "match"),
        ("2025-10-10T21:36:00Z", "", datetime(2025, 10, 10, 21, 20), "differs"),
    ],
)
def test_the_verdict_is_by_the_digits_given(
    published: str, tolerance: str, value: float | Decimal | datetime | None, verdict: str
) -> None:
    """Within half of the last digit is a match, the bound included."""
    rows: Mapping[str, Mapping[str, float | Decimal | datetime | None]] = {"f": {"x": value}}

    assert judged(claim(published, tolerance), rows, {})["verdict"] == verdict


def test_the_reason_is_said_where_there_is_no_value() -> None:
    """The file that is missing, else what is needed, else that the rows do not say."""
    missing = judged(claim("7", "0"), {}, {"f": "f.csv is not there"})
    nowhere = judged(claim("7", "", key=""), {}, {})
    silent = judged(claim("7", "0"), {"f": {"x": None}}, {})

    assert [each["note"] for each in (missing, nowhere, silent)] == [
        "f.csv is not there",
        "needs f",
        "the rows do not say",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (7, "7"),
        (1e-7, "0.0000001"),
        (Decimal("100.000"), "100"),
        (Decimal("1E+3"), "1000"),
        (datetime(2025, 10, 10, 21, 16, 4, 831000), "2025-10-10T21:16:04.831000Z"),
    ],
)
def test_values_are_stated_with_all_their_digits(
    value: float | Decimal | datetime | None, text: str
) -> None:
    """Plain, never in powers of ten, without zeros that say nothing."""
    assert stated(value) == text


def test_values_are_shown_to_be_read() -> None:
    """Thousands apart, cents of large ones, six digits of small ones; text as it is."""
    texts = ("2103111430.85932888", "34983", "0.6443314479", "2025-10-10T21:16:04Z", None)

    assert [shown(text) for text in texts] == [
        "2,103,111,430.86",
        "34,983",
        "0.644331",
        "2025-10-10T21:16:04Z",
        "",
    ]
