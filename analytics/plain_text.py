r"""
Text of a chain as plain text: whatever it says, it does nothing where it is shown.

Symbols, names and reasons may hold terminal commands, marks that turn the direction of reading, or
the beginning of a spreadsheet formula. Characters that nobody sees are shown as `\x1b` or
`\u202e`, and a spreadsheet gets an apostrophe before text that it would take for a formula.
Numbers are no formulas, also where they are text: nothing here touches them.
"""

import re
import unicodedata

import polars as pl

# Controls, formats (direction, joiners), separators of lines and paragraphs, private ones.
_HIDDEN = ("Cc", "Cf", "Zl", "Zp", "Co", "Cs")
_HIDDEN_PATTERN = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}]"
# With the full-width forms that some spreadsheets read as the plain ones. An apostrophe is among
# them, so that taking one away always gives the text back.
_BEGINNING = r"\s*[=+\-@\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}']"
_FORMULA = rf"^{_BEGINNING}"
# Where a comma is part of a number, spreadsheets read the semicolon as the end of a cell.
_CELL_WITHIN = rf";({_BEGINNING})"
_NUMBER = r"^[+\-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+\-]?[0-9]+)?$"
_LONGEST = 48
# What JSON leaves as it is and a terminal may obey; controls below a space it always writes out.
_UNSEEN = re.compile(
    "[\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]"
)


def visible(text: str) -> str:
    """Return text with every character that nobody sees written out."""
    return text if text.isprintable() else "".join(_written(each) for each in text)


def shortened(text: str) -> str:
    """Return text cut to what a cell has room for, with dots where something is missing."""
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def for_json(text: str) -> str:
    """Return JSON with characters that nobody sees written as JSON does, no less exact."""
    # Of millions of characters this is known at once, and most answers have no others.
    if text.isascii() and "\x7f" not in text:
        return text
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def for_spreadsheets(frame: pl.DataFrame) -> pl.DataFrame:
    """
    Return rows whose text no spreadsheet takes for a formula, and no terminal for a command.

    Only columns of text change, and a text that is a number stays one, below zero as well.
    """
    columns = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    if not columns or frame.is_empty():
        return frame
    is_hidden = frame.select(pl.col(columns).str.contains(_HIDDEN_PATTERN).any())
    shown = frame.with_columns(
        pl.col(name).map_elements(visible, return_dtype=pl.String)
        for name in columns
        if is_hidden[name].item()
    )
    return shown.with_columns(_guarded(columns))


def _guarded(columns: list[str]) -> pl.Expr:
    text = pl.col(columns)
    is_formula = text.str.contains(_FORMULA) & ~text.str.contains(_NUMBER)
    within = text.str.replace_all(_CELL_WITHIN, ";'$1")
    return pl.when(is_formula).then("'" + within).otherwise(within).name.keep()


def _written(character: str) -> str:
    if unicodedata.category(character) not in _HIDDEN:
        return character
    point = ord(character)
    return f"\\x{point:02x}" if point < 0x100 else f"\\u{point:04x}"
