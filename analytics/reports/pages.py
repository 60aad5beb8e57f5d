"""A report as text: one HTML file that needs nothing else, and the same in Markdown."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files

import polars as pl
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from analytics.plain_text import visible
from analytics.reports.commands import anchor, chart_commands, number_command, table_command
from analytics.reports.parts import Page, Table

# Text of a chain (symbols, names) may hold anything; in Markdown these start something.
_ESCAPED = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}
    | {each: f"\\{each}" for each in "\\|*`[]~"}
)
# An underscore inside a word is one. What looks like an address is made a link by many readers.
_EMPHASIS = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_SOURCE = re.compile(r"https://[\w./?=&%#,:+-]+")
_COMMAND = re.compile(r"`([^`]+)`")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_ADDRESS = re.compile(r"(?i)\b(https?|ftp|mailto|xmpp):|\b(www)\.")


def html(report: Page, versions: dict[str, str]) -> str:
    """Return the report as one self-contained HTML file."""
    text = _environment(is_html=True).get_template("report.html.jinja")
    own = {name: Markup(_text(f"report.{name}")) for name in ("css", "js")}  # noqa: S704 -- ours
    return text.render(report=report, versions=versions, style=own["css"], script=own["js"])


def markdown(report: Page, versions: dict[str, str]) -> str:
    """Return the report in Markdown, its charts in the folder `charts`."""
    text = _environment(is_html=False).get_template("report.md.jinja")
    return text.render(report=report, versions=versions)


def dictionary_page(rows: pl.DataFrame) -> str:
    """Return the data dictionary in Markdown."""
    tables: dict[str, list[dict[str, str]]] = {}
    for row in rows.iter_rows(named=True):
        tables.setdefault(row["table"], []).append(row)
    return _environment(is_html=False).get_template("dictionary.md.jinja").render(tables=tables)


def escaped(text: str) -> str:
    """Return text that Markdown shows as it is, also inside a table."""
    plain = _EMPHASIS.sub(r"\\_", visible(text).translate(_ESCAPED))
    return _ADDRESS.sub(lambda match: f"{match[0][:-1]}&#{ord(match[0][-1])};", plain)


def code(text: str) -> str:
    """Return text as Markdown code, between more backticks than it holds."""
    shown = visible(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence}{shown}{fence}" if longest == 0 else f"{fence} {shown} {fence}"


def prose(text: str) -> str:
    """Return a sentence for Markdown: what it has between backticks is code."""
    return "".join(
        code(part) if index % 2 else escaped(part)
        for index, part in enumerate(_COMMAND.split(text))
    )


def sentence(text: str) -> Markup:
    """Return such a sentence for a page. Its code breaks between words, and days do not."""
    return Markup().join(
        commanded(part) if index % 2 else dated(part)
        for index, part in enumerate(_COMMAND.split(text))
    )


def commanded(text: str) -> Markup:
    """Return a command for a page, which breaks between its words."""
    words = Markup(" ").join(Markup("<span>{}</span>").format(each) for each in text.split(" "))
    return Markup("<code>{}</code>").format(words)


def dated(text: str) -> Markup:
    """Return text for a page, where lines may end at a hyphen, but not of a day."""
    # Escaped before, and a plain string then: what is put into Markup would be escaped as well.
    days = _DAY.sub(r'<span class="day">\g<0></span>', str(escape(text)))
    return Markup(days)  # noqa: S704


def linked(text: str) -> str:
    """Return a source that a declaration states, which may be an address, for Markdown."""
    return text if _SOURCE.fullmatch(text) else escaped(text)


def followed(text: str) -> str:
    """Return such a source for a page: an address as a link."""
    plain = escape(text)
    return Markup('<a href="{0}">{0}</a>').format(plain) if _SOURCE.fullmatch(text) else plain


def has_unknown(table: Table) -> bool:
    """Tell whether a table has a cell that is not known."""
    return any(cell.text == "n/k" for row in table.rows for cell in row)


def script_digest(script: str) -> str:
    """Return what a page's policy says of its one script, so that no other runs."""
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def drawing(svg: str, name: str) -> Markup:
    """Return a drawing for a page, under the name of a class."""
    # Drawn by our own renderer, which escapes the text it draws.
    return Markup(svg.replace('class="marks"', f'class="marks {name}"', 1))  # noqa: S704


def _text(name: str) -> str:
    return files("analytics.reports").joinpath(name).read_text("utf-8")


@cache
def _environment(*, is_html: bool) -> Environment:
    environment = Environment(
        loader=FunctionLoader(_text),
        autoescape=is_html,  # noqa: S701 -- Markdown escapes with the filter `md`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "anchor": anchor,
        "chart_commands": chart_commands,
        "code": code,
        "commanded": commanded,
        "dated": dated,
        "digest": script_digest,
        "followed": followed,
        "linked": linked,
        "md": escaped,
        "number_command": number_command,
        "prose": prose,
        "sentence": sentence,
        "svg": drawing,
        "table_command": table_command,
    }
    environment.tests["with_unknown"] = has_unknown
    return environment
