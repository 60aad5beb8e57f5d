"""The report in a real browser: quiet, alone, drawn, sorted by hand, and inside its window."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Visit, chromium, overflow, visit
from handmade import at, table
from playwright.sync_api import Browser
from report_rows import EVIL, GMX, LINK, written_market

from analytics.reports import write_report

HUGE = "0.000000000000000001"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Yield one browser for all tests."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a page about a market whose every name wants to be run."""
    folder = tmp_path_factory.mktemp("browser")
    lost = GMX | {"market": "0xeth", "is_long": True}
    amounts = ("1000000", f"1000000{HUGE[1:]}", "999999", None, "12")
    price = {"asset": EVIL, "quote": "USD"}
    replaced = {
        "markets": table(
            "markets",
            GMX | {"market": "0xeth", "symbol": EVIL, "asset_class": "crypto", "known_by": "event"},
        ),
        "liquidations": table(
            "liquidations",
            *(
                lost | {"notional_usd": amount, "block_timestamp": at(3600 * index)}
                for index, amount in enumerate(amounts)
            ),
        ),
        "oracle_updates": table(
            "oracle_updates",
            *(
                venue | price | {"feed": feed, "oracle_price_quote": 2000 + 10 * index}
                for index, (venue, feed) in enumerate(((LINK, "0xc"), (GMX, "0xg")) * 3)
            ),
        ),
    }
    return write_report(written_market(folder, **replaced), folder / "report") / "report.html"


@pytest.fixture(scope="module")
def desk(browser: Browser, report: Path) -> Iterator[Visit]:
    """Yield the page in a window of 1280 pixels."""
    with visit(browser, report) as found:
        yield found


def column(found: Visit, caption: str, place: int) -> list[str | None]:
    """Return the exact values of a column of a table, as they stand."""
    cells = found.page.locator(f"h3:text-is('{caption}') + .wide tbody tr td:nth-child({place})")
    return [cell.get_attribute("data-exact") or cell.inner_text() for cell in cells.all()]


def test_it_is_quiet_and_alone(desk: Visit, report: Path) -> None:
    """No error, no warning, and nothing asked of a disk or a network but the page itself."""
    desk.page.mouse.wheel(0, 4000)
    desk.page.wait_for_timeout(100)

    assert desk.complaints == []
    assert desk.requests == [report.resolve().as_uri()]


def test_nothing_of_the_chain_runs(desk: Visit) -> None:
    """A name full of markup is text: no element came of it, and it is there to be read."""
    assert desk.page.locator("img").count() == 0
    assert desk.page.locator("script").count() == 1
    assert "onerror=alert(1)" in desk.page.locator("main").inner_text()
    assert "\u202e" not in desk.page.content()
    assert "\x1b" not in desk.page.content()


def test_charts_are_drawn(desk: Visit) -> None:
    """Every chart has a size, and marks that are seen in it."""
    charts = desk.page.locator("figure svg.broad")
    marks = charts.locator("[class*='mark-rect'] path:not(.moment), [class*='mark-line'] path")

    boxes = [mark.bounding_box() for mark in marks.all()]

    assert charts.count() >= 6
    sizes = [chart.bounding_box() for chart in charts.all()]
    assert all(size is not None and size["height"] > 100 for size in sizes)
    assert len([box for box in boxes if box and box["height"] + box["width"] > 0]) >= 6


def test_a_chart_answers_the_mouse(desk: Visit) -> None:
    """Over a moment the values of all series are shown, and gone when the mouse is."""
    chart = desk.page.locator("figure[aria-label^='Liquidated notional per hour'] svg.broad")
    chart.scroll_into_view_if_needed()

    chart.locator(".moment").first.hover()
    tip = desk.page.locator(".tip")

    assert tip.inner_text().splitlines() == ["2025-10-10 21:00:00", "long $1.00M (1,000,000)"]
    desk.page.locator("h1").hover()
    assert tip.is_hidden()


def test_a_chart_answers_the_keyboard(desk: Visit) -> None:
    """Arrows walk from moment to moment, and Escape ends it."""
    chart = desk.page.locator("figure[aria-label^='Liquidated notional per hour'] svg.broad")
    chart.focus()
    # The page moves to the chart, and what moves hides the tip: two frames later it lies still.
    frames = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    desk.page.evaluate(frames)

    for _ in range(3):
        desk.page.keyboard.press("ArrowRight")

    tip = desk.page.locator(".tip")
    assert tip.is_visible()
    assert tip.inner_text().splitlines() == ["2025-10-10 23:00:00", "long $1.00M (999,999)"]
    desk.page.keyboard.press("Escape")
    assert desk.page.locator(".tip").is_hidden()


def test_a_column_sorts_by_exact_values(desk: Visit) -> None:
    """A click sorts by all digits, the next one the other way; not known stays last."""
    head = desk.page.locator("h3:text-is('Largest liquidations') + .wide th:nth-child(7)")
    down = ["1,000,000.000000000000000001", "1,000,000", "999,999", "12", "not known"]

    head.locator("button").click()
    first = column(desk, "Largest liquidations", 7)
    order = head.get_attribute("aria-sort")
    head.locator("button").click()

    assert first == down
    assert order == "descending"
    assert column(desk, "Largest liquidations", 7) == [*down[-2::-1], "not known"]
    assert head.get_attribute("aria-sort") == "ascending"


def test_a_column_sorts_by_keyboard(desk: Visit) -> None:
    """The headers are buttons: Tab reaches them and Enter sorts; other columns are unsorted."""
    first = desk.page.locator("h3:text-is('Largest liquidations') + .wide th:nth-child(1)")
    first.locator("button").focus()

    desk.page.keyboard.press("Enter")

    times = column(desk, "Largest liquidations", 1)
    assert first.get_attribute("aria-sort") == "ascending"
    assert times == sorted(times, key=str)
    desk.page.keyboard.press("Tab")
    assert desk.page.evaluate("document.activeElement.tagName") == "BUTTON"
    sorts = desk.page.locator("h3:text-is('Largest liquidations') + .wide th[aria-sort='none']")
    assert sorts.count() == 9


@pytest.mark.parametrize("width", [390, 1280])
def test_nothing_leaves_the_window(browser: Browser, report: Path, width: int) -> None:
    """On a phone and on a desk only tables scroll sideways, each by itself."""
    with visit(browser, report, width=width) as found:
        assert overflow(found.page) == []
        assert found.page.locator("h1").is_visible()


def test_a_link_leads_to_the_method(desk: Visit) -> None:
    """The link under a number opens the explanation of its metric."""
    desk.page.locator(".card .from a[href='#metric-fees']").click()

    assert desk.page.locator("#metric-fees").is_visible()


def test_it_is_whole_without_script(browser: Browser, report: Path) -> None:
    """Without script every number, chart and title is there; headers are no buttons."""
    with visit(browser, report, has_script=False) as found:
        page = found.page
        assert page.locator("th button").count() == 0
        assert page.locator("figure svg.broad").first.is_visible()
        assert page.locator(".moment title").count() > 6
        assert page.locator(".tip").count() == 0


def test_it_prints(browser: Browser, report: Path) -> None:
    """On paper there is no contents and no arrow, hashes are whole, methods are unfolded."""
    with visit(browser, report) as found:
        found.page.emulate_media(media="print")
        hashes = found.page.locator("td.hash span").first

        assert found.page.locator("nav").is_hidden()
        assert found.page.locator(".stamp").is_visible()
        assert hashes.evaluate("each => getComputedStyle(each).overflow") == "visible"
        assert len(found.page.pdf(prefer_css_page_size=True)) > 20_000


def test_headers_print_on_every_page(browser: Browser, report: Path) -> None:
    """On paper headers are plain text: Chromium leaves buttons out of a header it repeats."""
    with visit(browser, report) as found:
        found.page.emulate_media(media="print")
        display = found.page.locator("th button").evaluate_all(
            "each => [...new Set(each.map((one) => getComputedStyle(one).display))]"
        )

        assert display == ["contents"]


def test_what_introduces_a_chart_prints_on_its_page(browser: Browser, report: Path) -> None:
    """A section's name and its last words stay with the first chart."""
    with visit(browser, report) as found:
        found.page.emulate_media(media="print")
        breaks = found.page.locator("figure").first.evaluate(
            """chart => {
                const words = chart.parentElement.previousElementSibling;
                const title = chart.closest("section").querySelector("h2");
                return [words, title].map((one) => getComputedStyle(one).breakAfter);
            }"""
        )

        assert breaks == ["avoid", "avoid"]


def test_a_command_prints_on_the_page_of_its_table(browser: Browser, report: Path) -> None:
    """Nor is it larger there than what it is about by more than a little."""
    with visit(browser, report) as found:
        found.page.emulate_media(media="print")
        told = found.page.locator(".wide + .from, .from + .note").evaluate_all(
            """each => each.map((one) => {
                const style = getComputedStyle(one);
                return [style.breakBefore, Number.parseFloat(style.fontSize) <= 10];
            })"""
        )

        assert told
        assert told == [["avoid", True]] * len(told)


def test_lines_of_methods_fit_on_paper(browser: Browser, report: Path) -> None:
    """No line of a method that has the length of ours is broken in two on A4."""
    with visit(browser, report, width=703) as found:
        found.page.emulate_media(media="print")
        wanted, drawn = found.page.evaluate(
            """() => {
                const all = [...document.querySelectorAll("pre")]
                    .filter((each) => !/.{101}/.test(each.textContent));
                const heights = () => all.map((each) => each.offsetHeight);
                const drawn = heights();
                all.forEach((each) => (each.style.whiteSpace = "pre"));
                return [heights(), drawn];
            }"""
        )

        assert wanted
        assert drawn == wanted
