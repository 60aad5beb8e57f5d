"""A report as text: one HTML file that needs nothing else, and the same in Markdown."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from analytics.reports.parts import Page, Table

# Text of a chain (symbols, names) may hold anything; in Markdown these start something.
_ESCAPED = str.maketrans(
    {
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
        "|": "\\|",
        "*": "\\*",
        "`": "\\`",
        "[": "\\[",
        "]": "\\]",
        "\\": "\\\\",
        "\n": " ",
    }
)


def html(report: Page, versions: dict[str, str]) -> str:
    """Return the report as one self-contained HTML file."""
    text = _environment(is_html=True).get_template("report.html.jinja")
    return text.render(report=report, versions=versions)


def markdown(report: Page, versions: dict[str, str]) -> str:
    """Return the report in Markdown, its charts in the folder `charts`."""
    text = _environment(is_html=False).get_template("report.md.jinja")
    return text.render(report=report, versions=versions)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, also inside a table."""
    return text.translate(_ESCAPED)


def has_unknown(table: Table) -> bool:
    """Tell whether a table has a cell that is not known."""
    return any("n/k" in row for row in table.rows)


@cache
def _environment(*, is_html: bool) -> Environment:
    environment = Environment(
        loader=FunctionLoader(
            lambda name: files("analytics.reports").joinpath(name).read_text("utf-8")
        ),
        autoescape=is_html,  # noqa: S701 -- Markdown escapes with the filter `md`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    # Drawn by our own renderer, which escapes the text it draws.
    environment.filters["svg"] = Markup
    environment.filters["md"] = escaped
    environment.tests["with_unknown"] = has_unknown
    return environment
