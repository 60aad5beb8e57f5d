"""What a reader sees: where the data is from, what is missing, and nothing fetched or unescaped."""

import json
import re
from base64 import b64encode
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from handmade import at, table, write_database
from report_rows import (
    GMX,
    HOSTILE,
    MAPLE,
    Page,
    market,
    part_of,
    report_of,
    silenced,
    whole_coverage,
    written_market,
)

from analytics import load
from analytics.compute import methodology
from analytics.reports import Limits, pages, write_report
from analytics.reports.charts import (
    BLUE,
    DELEVERAGED,
    LIQUIDATED,
    LONG,
    PALETTE,
    SHORT,
    UNKNOWN_SIDE,
    Canvas,
    Drawing,
    colored,
    lines,
)
from analytics.reports.context import Context
from analytics.reports.moments import moments
from analytics.reports.parts import Chart, Source
from analytics.reports.report import report
from analytics.reports.scope import Scope
from analytics.reports.sections.accrual import accrual
from analytics.reports.sections.cascade import STAGES
from analytics.reports.sections.covered import covered
from analytics.reports.sections.credit import credit
from analytics.reports.sections.exposure import exposure, with_drawdown
from analytics.reports.sections.income import income
from analytics.reports.sections.liquidity import liquidity
from analytics.reports.sections.oracles import oracles
from analytics.strays import strays

# Rows behind a chart that is drawn of others.
SOURCE = Source("d", "metric", "fees", pl.DataFrame())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the report of the simulated market with an asset of a bad name, written once."""
    place = tmp_path_factory.mktemp("pages")
    price = {"asset": "<script>", "quote": "USD", "chain_id": 42161}
    hostile = table("oracle_updates", price | {"feed": "0xa"}, price | {"feed": "0xb"})
    updates = pl.concat([market()["oracle_updates"], hostile])
    return write_report(written_market(place, oracle_updates=updates), place / "report")


@pytest.fixture(scope="module")
def html(folder: Path) -> str:
    """Return the HTML page as text."""
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def markdown(folder: Path) -> str:
    """Return the Markdown page as text."""
    return (folder / "report.md").read_text(encoding="utf-8")


def test_simulated_is_said_everywhere(folder: Path, html: str, markdown: str) -> None:
    """Both pages begin with the stamp, and every chart carries it under its title."""
    charts = [path.read_text(encoding="utf-8") for path in (folder / "charts").glob("*.svg")]

    assert Page(html).text.count("SIMULATED DATA") > 2 * len(charts)
    assert '<div class="stamp simulated">' in html
    assert "**SIMULATED DATA**" in markdown.split("## ", maxsplit=1)[0]
    assert len(charts) >= 6
    assert all("SIMULATED DATA" in chart for chart in charts)


def test_chains_of_different_origin_are_named(tmp_path: Path) -> None:
    """Where one chain is simulated and another is not, the stamp says which."""
    origins = table(
        "origins",
        {"chain_id": 1, "client_version": "geth", "kind": "node"},
        {"chain_id": 42161, "client_version": "p", "kind": "simulated"},
    )

    page = part_of(written_market(tmp_path, origins=origins))

    assert "SIMULATED DATA: arbitrum · NODE DATA: ethereum" in page


def test_a_recording_is_not_a_chain(tmp_path: Path) -> None:
    """Recorded data is called that, and its zeros are limited to the recording."""
    path = write_database(tmp_path / "r.duckdb", market("recorded"))

    page = part_of(path)

    assert "**RECORDED DATA**" in page
    assert "speak of the recording, not of the chain" in page
    assert "SIMULATED" not in page


def test_a_chain_without_origin_is_unknown(tmp_path: Path) -> None:
    """No origin is never taken for a node."""
    path = written_market(tmp_path, origins=table("origins"))

    page = part_of(path)

    assert "**DATA OF UNKNOWN ORIGIN**" in page


def test_what_is_missing_comes_first(markdown: str) -> None:
    """Gaps, rejects and missing proof are sentences before the first number."""
    first = markdown.split("## At a glance", maxsplit=1)[0]

    assert "Gaps: 11 blocks of gmx_v2 on arbitrum" in first
    assert "(1 gap)" in first
    assert "Rejects: 1 log matched a declaration" in first
    assert "Proof: No covered range is proven complete" in first


def test_complete_data_has_no_warnings(tmp_path: Path) -> None:
    """Final, proven, gapless and reject-free coverage is said to be that."""
    path = written_market(tmp_path, coverage=whole_coverage(), rejects=table("rejects"))

    page = part_of(path)

    assert "No gaps, no rejects, final blocks, proven complete." in page


def test_facts_that_nothing_fetched_tells_of_are_named(tmp_path: Path) -> None:
    """In a gap, of a protocol or venue that is not there, outside all files: each counts once."""
    coverage = whole_coverage().with_columns(from_block=pl.lit(2))
    file = {"chain_id": -1, "protocol": "hyperliquid", "file": "a", "sha256": "ab", "kind": "fills"}
    file |= {"from_at": at(0), "to_at": at(10), "imported_at": at(0)}
    file |= dict.fromkeys(("entries_read", "entries_used", "rejects"), 1)
    filled = {name: file[name] for name in ("chain_id", "protocol")} | {"version": "v1"}
    paid = GMX | {"fee_usd": 1, "block_timestamp": at(3)}
    fees = table(
        "fees",
        *(paid | {"block_number": block} for block in (2, 200)),
        *(paid | {"block_number": block} for block in (1, 201, 202)),
        paid | {"protocol": "gmx_v1"},
        *(filled | {"block_timestamp": at(moment)} for moment in (0, 10)),
        *(filled | {"block_timestamp": at(moment)} for moment in (-1, 11)),
        filled | {"protocol": "dydx_v4"},
    )
    tables = {"fees": fees, "coverage": coverage, "imports": table("imports", file)}
    with load.database(write_database(tmp_path / "a.duckdb", tables)) as con:
        found = strays(con, ["fees", "adls"])
        limited = strays(con, ["fees"], protocol="gmx_v2", chain_id=42161, until=at(2))
        said = report(Scope(con)).warnings[0]

    assert found.rows() == [
        ("fees", -1, "dydx_v4", 1),
        ("fees", -1, "hyperliquid", 2),
        ("fees", 42161, "gmx_v1", 1),
        ("fees", 42161, "gmx_v2", 3),
    ]
    assert limited.is_empty()
    assert said.startswith("Not covered: no covered block and no imported file holds 1 row of fees")


def test_what_is_not_covered_at_all_is_not_called_complete(tmp_path: Path) -> None:
    """A protocol asked for on a chain where it was not indexed: no data, and no praise of it."""
    with load.database(written_market(tmp_path)) as con:
        page = report(Scope(con, Limits(protocol="gmx_v2", chain_id=1)))

    assert (page.title, page.stamp) == ("nothing that is covered", "NO DATA")
    assert page.warnings == ("Nothing of what was asked for is covered: no number is known.",)


def test_what_was_waived_or_found_wrong_is_said(tmp_path: Path) -> None:
    """The reason why a chain cannot be checked, and ranges that failed a check, come first."""
    digests = {"declaration_digest": "d", "logs_digest": "l", "to_block_hash": "0x"}
    blocks = {"from_block": 100, "to_block": 200, "finality": "finalized"}
    waived = GMX | digests | blocks | {"proof": "waived", "waiver": "blooms are zero"}
    wrong = GMX | blocks | {"level": "bloom", "verdict": "failed", "detail": "1 log left out"}
    audit = table("audits", wrong | {"audited_at": at(0)})
    path = written_market(tmp_path, coverage=table("coverage", waived), audits=audit)

    page = part_of(path, covered)

    first = page.split("## At a glance", maxsplit=1)[0]
    assert "Waived: blooms are zero." in first
    assert "Audits: 1 range of stored blocks found wrong and not yet repaired." in first
    assert "| not proven further because |" in page
    assert "1 log left out" in page


def test_a_contract_whose_events_fell_silent_with_its_code_is_said(tmp_path: Path) -> None:
    """Of code that replaced none nothing is; of what went on a row, of what did not a sentence."""
    pages = [part_of(written_market(tmp_path, **silenced(at)), covered) for at in (140, 141)]

    first, second = (page.split("## At a glance", maxsplit=1)[0] for page in pages)
    assert "Silent" not in first
    assert "Silent: 1 contract of gmx_v2 on arbitrum stopped logging some of its events" in second
    assert ["given other code: does the declaration" in page for page in pages] == [True, True]
    assert [page.count("0xc0c0") for page in pages] == [1, 1]


def test_the_page_needs_nothing_else(html: str) -> None:
    """No style sheet, image, font or script from anywhere: links are only followed."""
    tags = Page(html).tags
    fetching = {"link", "img", "iframe", "object", "embed", "image", "use"}

    assert not fetching & {tag for tag, _ in tags}
    assert [attrs for tag, attrs in tags if tag == "script"] == [{}]
    assert not [attrs for _, attrs in tags if "src" in attrs]
    assert "url(http" not in html
    assert "@import" not in html


def test_only_our_script_may_run(html: str) -> None:
    """The page's policy names the digest of its one script, and allows nothing from anywhere."""
    script = html.rpartition("<script>")[2].partition("</script>")[0]
    digest = b64encode(sha256(script.encode()).digest()).decode()
    (policy,) = (
        str(attrs["content"])
        for tag, attrs in Page(html).tags
        if tag == "meta" and attrs.get("http-equiv") == "Content-Security-Policy"
    )

    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy


def test_every_table_says_how_to_check_it(html: str) -> None:
    """Each figure and table links to how it is made, or to the rows, with the command beside it."""
    commands = re.findall(r"<code>(.*?)</code>", re.sub("</?span>", "", html))

    assert html.count('<p class="from">') >= html.count("<table>") + html.count("<figure ")
    assert "perpscope trace fees --where protocol=gmx_v2 --together" in commands
    assert "perpscope trace liquidations --together" in commands
    assert any(each.startswith("perpscope trace liquidated_accounts --where") for each in commands)
    assert "perpscope query coverage_proof" in commands


def test_no_line_ends_within_an_option(html: str) -> None:
    """A browser ends lines after hyphens, of `--where` too; each word of a command is a box."""
    assert "<span>trace</span> <span>liquidations</span> <span>--together</span></code>" in html
    assert "code span { display: inline-block; }" in html


def test_a_command_in_a_sentence_is_code_and_a_day_is_whole(html: str, markdown: str) -> None:
    """Between backticks stands what is typed; in a sentence, too, no line ends within an option."""
    typed = "Made `on` 2025-10-10, `perpscope trace <x> --together` says."

    code = (
        "<span>perpscope</span> <span>trace</span> <span>&lt;x&gt;</span> <span>--together</span>"
    )
    assert pages.sentence(typed) == (
        'Made <code><span>on</span></code> <span class="day">2025-10-10</span>, '
        f"<code>{code}</code> says."
    )
    assert pages.prose("a_ `b_` `c") == r"a\_ `b_` \`c"
    assert "<code><span>--together</span></code>" in html
    assert "With `--together` it" in markdown
    words = re.sub("<(pre|svg|script).*?</\\1>", "", html, flags=re.DOTALL)
    assert "`" not in words


def test_both_pages_print_the_same_commands(html: str, markdown: str) -> None:
    """What a table is made with is in the one as in the other, methodology or not."""
    on_page = re.findall(r"<code>(perpscope .*?)</code>", re.sub("</?span>", "", html))

    assert "perpscope check" in on_page
    assert [each for each in on_page if f"`{unescape(each)}`" not in markdown] == []


def test_numbers_have_all_their_digits_at_hand(html: str) -> None:
    """What is shown is short; what lies over it is exact."""
    assert 'data-exact="$25.000000000000000001">$25.00<' in html
    assert 'data-exact="$1,234,667">$1.23M<' in html
    assert 'data-exact="1,234,567">1.23M<' in html


def test_every_chart_says_its_values(folder: Path) -> None:
    """Over each moment of a chart lies a title with the time and every value."""
    chart = (folder / "charts" / "liquidations.svg").read_text(encoding="utf-8")

    titles = re.findall(r'<path class="moment"[^>]*><title>([^<]*)</title>', chart)
    assert titles == [
        "2025-10-10 21:00:00 · long $1.23M (1,234,567) · short $100.00 · "
        "together $1.23M (1,234,667)"
    ]


def test_per_cent_on_an_axis_is_written_as_in_the_text() -> None:
    """A space before the sign, and no digit that the ratio does not have."""
    rows = pl.DataFrame(
        {
            "at": [datetime(2025, 10, 10), datetime(2025, 10, 11)],
            "series": "a",
            "value": [0.0, 8e-4],
        }
    )
    drawing = Drawing("d", "t", "rate", "%", {"a": BLUE}, SOURCE)

    chart = lines(Canvas("s", datetime(2025, 10, 10), datetime(2025, 10, 11)), drawing, rows)

    assert {"0.02 %", "0.08 %"} <= set(re.findall(r">([^<]*%)<", chart.svg))


def test_a_rounded_value_is_followed_by_all_its_digits() -> None:
    """To the last of eighteen decimals, in the unit it is read in; what is whole stays alone."""
    usd = ["12345.000000000000000001", "-0.004"]
    dollars = pl.DataFrame(
        {"at": [datetime(2025, 10, 10)] * 2, "series": ["a", "b"], "value": usd}
    ).with_columns(pl.col("value").cast(pl.Decimal(38, 18)))
    shares = pl.DataFrame({"at": [datetime(2025, 10, 10)], "series": ["a"], "value": [0.12345]})
    names = {"a": "long", "b": "short"}

    (said,) = moments(dollars, names, "USD", is_sum=True)["said"]
    (share,) = moments(shares, names, "%", is_sum=False)["said"]

    assert "long $12.35k (12,345.000000000000000001) · " in said
    assert said.endswith(" (-0.004) · together $12.34k (12,344.996000000000000001)")
    assert share.endswith("long 12.3 % (12.345)")


def test_a_value_of_a_day_is_said_of_the_day_to_its_end() -> None:
    """Both days are said without an hour, and a mouse finds the last as well as the first."""
    days = [datetime(2025, 10, 10), datetime(2025, 10, 11)]
    rows = pl.DataFrame({"at": days, "series": ["a", "a"], "value": [0.5, 0.25]})
    drawing = Drawing("d", "t", "ratio", "%", {"a": BLUE}, SOURCE)

    chart = lines(Canvas("s", *days), drawing, rows, lasting=timedelta(days=1)).svg

    found = re.findall(r'd="M[\d.]+,0h([\d.]+)v[^>]*><title>([^<]*)</title>', chart)
    assert [said for _, said in found] == ["2025-10-10 · a 50.0 %", "2025-10-11 · a 25.0 %"]
    assert found[0][0] == found[1][0]


def drawn(chart: Chart) -> str:
    """Return the path of the only line of a chart."""
    (path,) = re.findall(rf'd="([^"]*)" stroke="{BLUE}" stroke-width="1.8"', chart.svg)
    return str(path)


def test_a_period_without_a_value_breaks_the_line() -> None:
    """An hour nobody measured is no line between its neighbours, and says nothing of them."""
    hours = [datetime(2025, 10, 10, hour) for hour in (0, 1, 3)]
    rows = pl.DataFrame({"at": hours, "series": ["a"] * 3, "value": [1.0, 2.0, 3.0]})
    drawing = Drawing("d", "t", "deviation", "bps", {"a": BLUE}, SOURCE)

    canvas = Canvas("s", hours[0], datetime(2025, 10, 10, 4))
    chart = lines(canvas, drawing, rows, lasting=timedelta(hours=1))

    assert [part.split(",")[0] for part in drawn(chart).split("M")[1:]] == ["0", "645"]
    widths = re.findall(r"0h([\d.]+)v[^>]*><title>2025-10-10 (\d\d)", chart.svg)
    assert widths == [("215", "00"), ("215", "01"), ("215", "03")]


def test_a_value_that_is_not_known_ends_the_one_before() -> None:
    """What holds until the next holds until nobody knows: a line to there, none beyond, and n/k."""
    hours = [datetime(2025, 10, 10, hour) for hour in (0, 1, 3)]
    rows = pl.DataFrame({"at": hours, "series": ["a"] * 3, "value": [1.0, None, 3.0]})
    drawing = Drawing("d", "t", "rate", "bps", {"a": BLUE}, SOURCE)

    chart = lines(Canvas("s", hours[0], datetime(2025, 10, 10, 4)), drawing, rows)

    first, second = drawn(chart).split("M")[1:]
    assert re.findall(r"([\d.]+),", first) == ["0", "215", "215"]
    assert second.startswith("645,")
    assert "<title>2025-10-10 01:00:00 · a n/k</title>" in chart.svg


def test_sides_of_a_market_without_a_name_are_two_lines() -> None:
    """Its address is too long for the legend; cut at the end, long and short were one."""
    market = f"gmx_v1 0x{'af88' * 10}"
    rows = pl.DataFrame(
        {"at": [at(0)] * 2, "series": [f"{market} long", f"{market} short"], "value": [1, 2]}
    )
    drawing = Drawing("d", "t", "rate", "bps", colored(rows["series"].to_list()), SOURCE)

    chart = lines(Canvas("s", at(0), at(days=1)), drawing, rows).svg

    assert {name.split()[-1] for name in re.findall(r">(gmx_v1 [^<]*)</text>", chart)} == {
        *("long", "short")
    }


@pytest.mark.parametrize(("days", "is_said"), [(0.9, True), (1.1, True), (3, True), (5, False)])
def test_hours_are_on_the_axis_below_three_days(days: float, is_said: bool) -> None:
    """On a phone, too: the same date under several ticks tells none of them."""
    rows = pl.DataFrame({"at": [at(0)], "series": ["a"], "value": [1]})
    drawing = Drawing("d", "t", "fees", "USD", {"a": BLUE}, SOURCE)

    chart = lines(Canvas("s", at(0), at(days=days)), drawing, rows).narrow

    assert bool(re.search(r">(\w{3} \d\d )?\d\d:00<", chart)) is is_said


def test_colours_of_sides_mean_nothing_else() -> None:
    """What was liquidated and what was closed by ADL is no long, no short and no unknown side."""
    assert {LIQUIDATED, DELEVERAGED}.isdisjoint({LONG, SHORT, UNKNOWN_SIDE})


def test_stages_of_exits_have_the_colours_of_exits() -> None:
    """What is liquidation in the minutes of an event is so in its stages; no stage is a side."""
    assert (STAGES["liquidation"], STAGES["deleveraging"]) == (LIQUIDATED, DELEVERAGED)
    assert {LONG, SHORT}.isdisjoint(STAGES.values())
    assert len(set(STAGES.values())) == len(STAGES)


def test_the_page_is_well_formed(html: str) -> None:
    """Every tag is closed, in order, and every entry of the contents leads somewhere."""
    page = Page(html)
    ids = [str(attrs["id"]) for _, attrs in page.tags if "id" in attrs]
    anchors = {str(attrs["href"]) for tag, attrs in page.tags if tag == "a"}

    assert page.open == []
    assert len(ids) == len(set(ids))
    assert {anchor[1:] for anchor in anchors if anchor.startswith("#")} <= set(ids)


def test_every_linked_file_is_there(folder: Path, html: str) -> None:
    """A link to the rows behind a section leads to a file of the report."""
    links = {str(attrs["href"]) for tag, attrs in Page(html).tags if tag == "a"}

    inside = [one for one in links if not one.startswith(("#", "https:"))]
    assert [one for one in inside if not (folder / one).is_file()] == []
    assert len(inside) > 20


def test_hostile_names_are_text(folder: Path, html: str, markdown: str) -> None:
    """A market called `<b>x</b>|*` is neither a tag nor a cell, on no page and in no chart."""
    markets = markdown.split("**Open interest by market**")[1].split("\n**", maxsplit=1)[0]
    rows = [line for line in markets.splitlines() if line.startswith("|")]
    charts = [path.read_text(encoding="utf-8") for path in (folder / "charts").glob("*.svg")]

    assert HOSTILE in Page(html).text
    assert "<b>" not in html
    assert "&lt;b&gt;x&lt;/b&gt;\\|\\*" in markdown
    assert len(rows) == 3
    assert len({len(re.findall(r"(?<!\\)\|", row)) for row in rows}) == 1
    assert all("<b>" not in chart for chart in charts)


def test_hostile_assets_are_text_in_charts(folder: Path, html: str) -> None:
    """A series named by a chain is escaped where a chart prints it."""
    chart = (folder / "charts" / "oracle_deviation.svg").read_text(encoding="utf-8")

    assert "&lt;script&gt;/USD" in chart
    assert [tag for tag, _ in Page(html).tags].count("script") == 1


def test_an_address_is_cut_like_a_hash_in_any_column(tmp_path: Path) -> None:
    """A market without a name is its address, which made every row of its table two lines high."""
    market = f"0x{'c4' * 20}"
    charged = table("fees", GMX | {"fee_kind": "swap", "market": market, "fee_usd": 9})

    page = pages.html(report_of(written_market(tmp_path, fees=charged)), {})

    assert re.search(rf'<td class="hash named" data-rank="\d"><span>{market}</span></td>', page)


def test_methodology_is_printed_verbatim(folder: Path, html: str) -> None:
    """Every metric the manifest names is explained by its own docstring."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    entries = [entry for section in manifest["sections"].values() for entry in section]
    metrics = {entry["asked"] for entry in entries if entry["kind"] == "metric"}

    text = Page(html).text

    assert len(metrics) >= 10
    assert [name for name in metrics if methodology(name) not in text] == []
    assert "no other: window_days=30." in text


def test_policies_carry_their_source(markdown: str) -> None:
    """A stated rate is printed with where it was stated."""
    assert "| still in force | https://example.org/policy |" in markdown.split("## Policies")[1]


def test_unknown_is_not_zero(markdown: str) -> None:
    """A value nobody knows is n/k with a footnote; a measured zero is 0."""
    fees = markdown.split("**Fees by protocol**")[1].split("Rows:", maxsplit=1)[0]

    assert "| 25.00 | 12.00 | 8.00 | 2.00 | 6.00 | n/k | 3 | 0 | 1 |" in fees
    assert "n/k = not known." in fees


def test_a_par_value_is_no_policy(markdown: str) -> None:
    """What is assumed of a row may be that a stablecoin is a dollar, as of all of Maple's fees."""
    assert "| assumed: a par value, a policy or a setting |" in markdown


def test_what_splits_rest_on_is_counted(markdown: str) -> None:
    """Of three fees the events split two, no policy any, and nobody the third."""
    rests = markdown.split("**What the split of fees rests on**")[1]

    assert "| gmx_v2 | 3 | 2 | 0 | 1 |" in rests


def test_what_is_tested_in_full_is_known(markdown: str) -> None:
    """An identity without a reason lacks nothing: that is no unknown reason."""
    assert "| fee_split | arbitrum | gmx_v2 | tested in full | 2 | 0 |" in markdown
    assert "| rows | breaches |" in markdown


def test_an_empty_section_says_why(markdown: str) -> None:
    """What was not found is named with the blocks it was not found in, and with its doubts."""
    exits = markdown.split("## Liquidations and ADLs")[1]

    assert "No ADLs in the covered blocks: ethereum 10–20 (maple)" in exits
    assert "But 1 log meant for it could not become facts, so this is not a measured zero." in exits


def test_outside_the_covered_time_is_not_a_zero(tmp_path: Path) -> None:
    """A time that nobody looked at is called not collected, not empty."""
    limits = Limits(since=at(days=2000))

    page = part_of(written_market(tmp_path), income, limits=limits)

    assert "No fees can be told: not_collected: outside the covered blocks" in page
    assert "begins before" not in page


@pytest.mark.parametrize(
    ("since", "until", "named"),
    [(0, 90_000, True), (3600, 90_000, False), (0, 50_000, True), (3600, 93_600, True)],
)
def test_what_is_covered_in_part_is_named(
    tmp_path: Path, since: int, until: int, named: bool
) -> None:
    """Arbitrum is covered from 20:59 on, and Ethereum an hour later and shorter."""
    block = {"hash": b"h", "parent_hash": b"p"}
    times = {(42161, 100): -60, (42161, 200): 93_600, (1, 10): 3600, (1, 20): 90_000}
    known = (
        block | {"chain_id": chain, "number": number, "timestamp": at(second)}
        for (chain, number), second in times.items()
    )
    path = written_market(tmp_path, blocks=table("blocks", *known))

    page = part_of(path, limits=Limits(since=at(since), until=at(until)))

    assert ("In part: of maple on ethereum only a part of the time" in page) == named


def test_an_empty_section_names_the_time_asked_for(tmp_path: Path) -> None:
    """Nothing in two hours is said of these two hours, not of every covered block."""
    limits = Limits(since=at(3600), until=at(7200))

    page = part_of(written_market(tmp_path), accrual, limits=limits)

    span = "from 2025-10-10T22:00:00Z to 2025-10-10T23:00:00Z"
    assert f"No buybacks {span} in the covered blocks" in page


def test_an_empty_section_names_files_beside_blocks(tmp_path: Path) -> None:
    """What was imported is of no blocks; of many ranges it says only how many there are."""
    ranges = [
        GMX
        | {"protocol": f"p{place}", "from_block": place, "to_block": 100}
        | {"declaration_digest": "d", "logs_digest": "l", "to_block_hash": "0x"}
        | {"proof": "fetched", "finality": "finalized"}
        for place in range(7)
    ]
    told = {"chain_id": -1, "protocol": "hyperliquid", "sha256": "0", "imported_at": at()}
    counts = dict.fromkeys(("entries_read", "entries_used", "rejects"), 1)
    imports = table("imports", *(told | counts | {"file": name} for name in "ab"))
    pages = [
        part_of(
            written_market(
                tmp_path,
                buybacks=table("buybacks"),
                imports=imports,
                declared_facts=table(
                    "declared_facts", GMX | {"protocol": "p0", "fact": "buybacks"}
                ),
                coverage=table("coverage", *ranges[:count]),
            ),
            accrual,
        )
        for count in (1, 7)
    ]

    assert "covered blocks: arbitrum 0–100 (p0); 2 files of hypercore (hyperliquid)." in pages[0]
    assert "covered blocks: 8 ranges, listed under “What the numbers rest on”." in pages[1]


def test_without_an_event_a_section_is_of_all_the_time(tmp_path: Path) -> None:
    """Nobody was liquidated, and no block has a known time: no days are named."""
    nothing = {"liquidations": table("liquidations"), "blocks": table("blocks")}

    page = part_of(written_market(tmp_path, **nothing), accrual, oracles)

    assert "All of this is of all the time the report covers." in page
    assert "**Purchases with those paid in tokens at the price of their moment, by day**" in page


@pytest.mark.parametrize(("burned", "cell"), [(None, "n/k"), (3, "3.0000")])
def test_a_day_without_purchases_does_not_tell_what_purchases_burned(
    tmp_path: Path, burned: int | None, cell: str
) -> None:
    """A purchase one day, fees alone the next: unknown stays unknown, and is not zero."""
    paid = table("buybacks", GMX | {"spent_usd": 5, "burned_tokens": burned})
    fees = table("fees", GMX | {"fee_usd": 1, "block_timestamp": at(days=1)})

    page = part_of(written_market(tmp_path, buybacks=paid, fees=fees), accrual)

    promised = page.split("Promised by policy, spent, and burned")[1].split("**")[1]
    assert f"| 5.00 | {cell} | 1 |" in promised


def test_purchases_of_a_day_are_told_apart_by_what_they_cost(tmp_path: Path) -> None:
    """A day's purchases with ether and with dollars are two rows that say which is which."""
    paid = (GMX | {"spent_token": token, "spent_usd": 5} for token in ("0xaaa", "0xbbb"))

    page = part_of(written_market(tmp_path, buybacks=table("buybacks", *paid)), accrual)

    worth = page.split("Purchases with those paid in tokens")[1]
    assert "| 0xaaa | 5.00 |" in worth
    assert "| 0xbbb | 5.00 |" in worth


def test_shares_of_supply_are_shown_before_and_after_issuance(tmp_path: Path) -> None:
    """4 of 400 tokens were bought while 40 were minted: 1 % gross, and nine below zero net."""
    read = GMX | {"token": "GOV", "dead_tokens": 0}
    supplies = table(
        "token_supplies",
        read | {"supply_tokens": 360, "block_timestamp": at(days=-30)},
        read | {"supply_tokens": 400, "block_timestamp": at(0)},
    )

    page = part_of(written_market(tmp_path, token_supplies=supplies), accrual)

    assert "Share of supply over 30 days" in page
    (line,) = (line for line in page.splitlines() if "| GOV |" in line and "400" in line)
    assert "| +100.0 |" in line
    assert "| -900.0 |" in line.replace("\N{MINUS SIGN}", "-")


def test_a_share_of_supply_is_named_wherever_its_token_is(tmp_path: Path) -> None:
    """A token without a symbol on the first of two chains has that of the other."""
    supplies = table("token_supplies", GMX | {"token": "0xf", "supply_tokens": 4, "dead_tokens": 0})
    tokens = [
        {"chain_id": chain, "address": "0xf", "symbol": symbol, "decimals": 18, "known_by": "call"}
        for chain, symbol in ((1, None), (2, "GOV"), (3, None))
    ]

    facts = {"token_supplies": supplies, "tokens": table("tokens", *tokens)}
    page = part_of(written_market(tmp_path, **facts), accrual)

    assert "| GOV |" in page.split("Share of supply over 30 days")[1]


def test_what_a_token_is_worth_stands_beside_income(tmp_path: Path) -> None:
    """Of 100 tokens 90 are within reach, at 5 dollars; a day's fee of 10 makes 3,650 a year."""
    block = {"chain_id": 42161, "hash": b"h", "parent_hash": b"p"}
    ends = ({"number": number, "timestamp": at(days=day)} for number, day in ((100, -1), (200, 2)))
    read = {"token": "0xt", "supply_tokens": 100, "dead_tokens": 10, "block_timestamp": at(days=1)}
    named = {"chain_id": 42161, "address": "0xt", "symbol": "GOV", "decimals": 18}
    price = {"asset": "GOV", "quote": "USD", "oracle_price_quote": 5, "block_timestamp": at(days=1)}
    fee = GMX | {"fee_usd": 10, "supply_side_usd": 6, "treasury_usd": 1, "holders_usd": 3}
    path = written_market(
        tmp_path,
        blocks=table("blocks", *(block | end for end in ends)),
        fees=table("fees", fee, fee | {"block_timestamp": at(days=1)}),
        token_supplies=table("token_supplies", GMX | read),
        tokens=table("tokens", named | {"known_by": "call"}),
        oracle_updates=table("oracle_updates", GMX | price),
    )

    worth = part_of(path, accrual).split("Market value in years of income, from ")[1]

    assert worth.startswith("2 whole UTC days up to 2025-10-11")
    assert "| gmx_v2 | GOV | 2025-10-11 | 5.00000 | 450.00 | 0.1 | 0.3 | 0.4 |" in worth


def bought(folder: Path, buyers: int, earning: int = 9) -> dict[str, Chart]:
    """Return the charts of two days on which so many bought, the last most, and some earned."""
    days = [
        GMX | {"protocol": f"p{buyer}", "block_timestamp": at(days=day)}
        for buyer in range(buyers)
        for day in (0, 1)
    ]
    fee = {"fee_usd": 90, "supply_side_usd": 50, "treasury_usd": 30, "holders_usd": 10}
    path = written_market(
        folder,
        fees=table("fees", *(row | fee for row in days[: 2 * earning])),
        buybacks=table(
            "buybacks", *(row | {"spent_usd": place // 2 + 1} for place, row in enumerate(days))
        ),
    )
    with load.database(path) as con:
        return {chart.name: chart for chart in accrual(Context(Scope(con))).charts}


def legend(chart: Chart) -> dict[str, str]:
    """Return the colour of each series of a chart."""
    entry = r'role-legend-symbol.*?"(#[0-9a-f]{6})".*?role-legend-label.*?>([^<>]+)</text>'
    return {name: color for color, name in re.findall(entry, chart.svg)}


def test_each_buyer_of_a_chart_has_a_colour(tmp_path: Path) -> None:
    """Of eight all are named; of nine the two that spent least are one, with the last colour."""
    eight, nine = (bought(tmp_path, buyers) for buyers in (8, 9))

    assert list(legend(eight["buybacks"])) == [f"p{place}" for place in range(8)]
    assert list(legend(nine["buybacks"])) == [*(f"p{place}" for place in range(2, 9)), "all others"]
    assert "together $45" in nine["buybacks"].svg
    for chart in (*eight.values(), *nine.values()):
        assert [*legend(chart).values()] == [*PALETTE]


def test_the_largest_buyers_have_two_lines_each(tmp_path: Path) -> None:
    """What the split sets aside, a quarter, beside what is spent; a chart of some says so."""
    one, nine = (bought(tmp_path, buyers)["buyback_ratio"] for buyers in (1, 9))

    assert one.caption == "Buybacks per dollar of revenue, trailing 30 days"
    assert "2025-10-11 · p0 executed 2.5 % · p0 set aside 25.0 %" in one.svg
    assert nine.caption == f"{one.caption}, the 4 largest buyers"
    assert {name[:2] for name in legend(nine)} == {"p5", "p6", "p7", "p8"}
    # Whose revenue nobody tells has no line, and takes the place of none.
    some = bought(tmp_path, buyers=9, earning=8)["buyback_ratio"]
    assert {name[:2] for name in legend(some)} == {"p4", "p5", "p6", "p7"}


def test_no_open_interest_falls_by_more_than_all_of_it(tmp_path: Path) -> None:
    """Changes of 5, -10 and 20 are of a market whose open interest before them nobody knows."""
    change = GMX | {"market": "0xeth", "is_long": True}
    told = (
        change | {"open_interest_delta_usd": usd, "block_timestamp": at(second)}
        for second, usd in ((0, 5), (3600, -10), (7200, 20))
    )
    owed = change | {"market": "0xbtc", "open_interest_delta_usd": -7}
    path = written_market(tmp_path, open_interest=table("open_interest", *told, owed))

    page = part_of(path, exposure)
    with load.database(path) as con:
        totals = with_drawdown(Scope(con).metric("open_interest_total"))

    assert "-200.0 %" not in page
    assert "| 0xbtc | delta | n/k | n/k | n/k |" in page
    assert totals["drawdown_ratio"].to_list() == [None, None, 0.0]


def test_a_chart_of_some_markets_says_so(tmp_path: Path) -> None:
    """Of a market whose shorts nobody knows the longs are drawn: that is not all that is open."""
    told = GMX | {"market": "0xeth", "is_long": True, "open_interest_usd": 5}
    whole = table("open_interest", told, told | {"is_long": False})

    pages = [
        part_of(written_market(tmp_path, open_interest=rows), exposure)
        for rows in (whole, whole.filter(pl.col("is_long")))
    ]

    assert [page.split("![")[1].split("]")[0] for page in pages] == [
        "Open interest",
        "Open interest, of what is known",
    ]


def test_depth_names_its_tokens_and_begins_with_the_latest_day(tmp_path: Path) -> None:
    """Two days of one pool: a token is named as it calls itself, or by its address."""
    pool = {"chain_id": 1, "protocol": "uniswap_v3", "pool": "0xp", "token0": "0xa"}
    state = pool | {"token1": "0xb", "kind": "swap", "tick": 0, "price_quote": 1}
    swaps = [state | {"liquidity_tokens": 9, "block_timestamp": at(days=day)} for day in (0, 1)]
    weth = {"chain_id": 1, "address": "0xa", "symbol": "WETH", "decimals": 18, "known_by": "call"}
    told = {"pool_liquidity": table("pool_liquidity", *swaps), "tokens": table("tokens", weth)}

    page = part_of(written_market(tmp_path, **told), liquidity)

    lines = [line for line in page.splitlines() if "| uniswap_v3 | 0xp |" in line][:4]
    assert [line.split(" | ")[0] for line in lines] == ["| 2025-10-11T00:00:00Z"] * 2 + [
        "| 2025-10-10T00:00:00Z"
    ] * 2
    assert [line.split(" | ")[7] for line in lines] == ["WETH"] * 4
    assert [line.split(" | ")[9] for line in lines] == ["0xb"] * 4


def test_what_was_lost_stands_in_a_file(tmp_path: Path) -> None:
    """The rows that a table of single events shows are those of the file under it."""
    lost = [MAPLE | {"kind": kind, "account": "0xb"} for kind in ("payment", "default", "call")]
    path = written_market(tmp_path, credit_events=table("credit_events", *lost))

    page = part_of(path, credit)
    with load.database(path) as con:
        sources = {each.name: each.frame for each in credit(Context(Scope(con))).sources}

    told = page.split("**Liquidations, losses, calls and recoveries, latest first**")[1]
    assert "From rows of [notable_credit_events](csv/notable_credit_events.csv)" in told
    assert set(sources["notable_credit_events"]["kind"]) == {"default", "call"}
    assert sources["notable_credit_events"]["tx_hash"].null_count() == 0


def test_a_promise_is_of_all_days_or_of_none(tmp_path: Path) -> None:
    """27 % of 6 dollars of one day are no promise of two, while the other has no split."""
    fees = market()["fees"]
    pages = [
        part_of(written_market(tmp_path, fees=rows), accrual)
        for rows in (fees.filter(pl.col("split_basis") == "event"), fees)
    ]

    lines = [next(line for line in page.splitlines() if "| split |" in line) for page in pages]
    assert [line.split(" | ")[2:4] for line in lines] == [["1.62", "2.00"], ["n/k", "2.00"]]


def test_depth_by_price_impact_rests_on_what_was_set_before(tmp_path: Path) -> None:
    """A parameter of the week before the report counts: 500 longs and no shorts, 2 % at 19,000."""
    set_before = GMX | {"market": "0xeth", "block_timestamp": at(days=-7)}
    parameters = table(
        "impact_parameters",
        set_before | {"is_positive": False, "factor_trillionths": 1_000_000},
        set_before | {"exponent": 2},
    )
    stood = GMX | {"market": "0xeth", "block_timestamp": at(60)}
    books = table(
        "open_interest",
        stood | {"is_long": True, "open_interest_usd": 500},
        stood | {"is_long": False, "open_interest_usd": 0},
    )
    path = written_market(tmp_path, impact_parameters=parameters, open_interest=books)

    page = part_of(path, liquidity, limits=Limits(since=at(0)))

    table_of = page.split("by price impact, market and day")[1].split("From metric")[0]
    rows = [line for line in table_of.splitlines() if line.startswith("| arbitrum | gmx_v2")]
    assert [row.split(" | ")[-3:] for row in rows] == [
        ["-500.00", "unknown", "n/k |"],
        ["500.00", "impact", "19,000.00 |"],
    ]


def test_without_parameters_there_is_no_depth_by_price_impact(markdown: str) -> None:
    """No table and no zero."""
    assert "by price impact" not in markdown.split("## Methodology", maxsplit=1)[0]


def test_zero_liquidations_are_claimed_with_their_evidence(markdown: str) -> None:
    """The claim names blocks, coverage and proof, and says its scope."""
    credit = markdown.split("## Credit and RWA")[1]

    said = "maple on ethereum: no liquidation, default, impairment, repossession or sale of"
    assert f"{said} collateral from 2025-10-10 20:59:00 until 2025-10-11 00:00:00" in credit
    assert "in blocks 10–20, all 11 of them covered (proof: fetched; simulated data)" in credit
    assert "margin calls are invisible" in credit
    assert "chainlink on arbitrum: no" not in credit


def test_a_gap_forbids_the_claim(tmp_path: Path) -> None:
    """Where one block is not covered, no liquidation is no finding."""
    rest = MAPLE | {"declaration_digest": "d", "logs_digest": "l", "to_block_hash": "0x"}
    proven = rest | {"finality": "finalized", "proof": "receipts"}
    ranges = [{"from_block": 10, "to_block": 14}, {"from_block": 16, "to_block": 20}]
    coverage = table("coverage", *(proven | blocks for blocks in ranges))
    path = written_market(tmp_path, coverage=coverage)

    page = part_of(path, credit)

    assert "| ethereum | maple | not covered | 10 | 20 | 11 | 10 |" in page
    assert "maple on ethereum: no liquidation" not in page
