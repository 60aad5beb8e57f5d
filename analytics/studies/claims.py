"""
What was published, as a table, and the verdict on each line beside what the rows say.

A table of claims is a CSV file next to this module, one line per figure:

    theme, figure    where it stands and what it is, in words
    key              function.column that computes it; empty where no rows are known
    published        the published value; empty where nobody published one
    unit             ratio: 1 = 100 %; UTC: a time
    tolerance        half of the last digit that was published; empty for times
    source           who published it, or whose rows these are
    note             how it was counted; what is needed where no rows are known

The verdict is match, differs, unpublished (the figure is ours alone) or not testable.
"""

from collections.abc import Mapping
from csv import DictReader
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from importlib.resources import files

MATCH, DIFFERS = "match", "differs"
UNPUBLISHED, NOT_TESTABLE = "unpublished", "not testable"
VERDICTS = (MATCH, DIFFERS, UNPUBLISHED, NOT_TESTABLE)

Value = int | float | Decimal | datetime | date | str | None


@dataclass(frozen=True)
class Claim:
    """One line of a table of claims, each field as it is written there."""

    theme: str
    figure: str
    key: str
    published: str
    unit: str
    tolerance: str
    source: str
    note: str

    @property
    def function(self) -> str:
        """The function that computes it; empty where no rows are known."""
        return self.key.partition(".")[0]

    @property
    def column(self) -> str:
        """The column of the function's row."""
        return self.key.partition(".")[2]


def claims(table: str) -> tuple[Claim, ...]:
    """Return the lines of a table of claims, in order."""
    text = files("analytics.studies").joinpath(table).read_text(encoding="utf-8")
    return tuple(Claim(**row) for row in DictReader(text.splitlines()))


def judged(
    claim: Claim, rows: Mapping[str, Mapping[str, Value]], reasons: Mapping[str, str]
) -> dict[str, str | None]:
    """
    Return a claim beside its computed value, with the verdict.

    Args:
        claim: the line.
        rows: by function, its one row.
        reasons: by function, why it could not run.

    Returns:
        theme, figure, published, computed (all digits), unit, verdict, note, source, key; what is
        not there is None.
    """
    value = rows.get(claim.function, {}).get(claim.column)
    verdict = _verdict(claim, value)
    reason = reasons.get(claim.function, "the rows do not say" if claim.key else claim.note)
    said = {
        "theme": claim.theme,
        "figure": claim.figure,
        "published": claim.published,
        "computed": stated(value),
        "unit": claim.unit,
        "verdict": verdict,
        "note": reason if verdict == NOT_TESTABLE else claim.note,
        "source": claim.source,
        "key": claim.key,
    }
    return {name: text or None for name, text in said.items()}


def _verdict(claim: Claim, value: Value) -> str:
    if value is None:
        return NOT_TESTABLE
    if not claim.published:
        return UNPUBLISHED
    if not claim.tolerance:
        return MATCH if stated(value) == claim.published else DIFFERS
    distance = abs(Decimal(stated(value)) - Decimal(claim.published))
    return MATCH if distance <= Decimal(claim.tolerance) else DIFFERS


def stated(value: Value) -> str:
    """Return a value with all its digits: a plain number, or ISO 8601 UTC; empty for None."""
    match value:
        case None:
            return ""
        case datetime():
            return f"{value.isoformat()}Z"
        case Decimal():
            text = f"{value:f}"
            return text.rstrip("0").rstrip(".") if "." in text else text
        case float():
            return f"{Decimal(repr(value)):f}"
        case _:
            return str(value)


def shown(text: str | None) -> str:
    """Return a stated value to read: thousands apart, at most six significant digits or cents."""
    try:
        number = Decimal(text or "-")
    except InvalidOperation:
        return text or ""
    if number == number.to_integral_value():
        return f"{number:,.0f}"
    return f"{number:,.2f}" if abs(number) >= 1000 else f"{number:.6g}"


def titled(name: str) -> str:
    """Return the name of a function as a title: `adl_waves` is "ADL waves"."""
    words = name.replace("adl", "ADL").replace("_", " ")
    return words[0].upper() + words[1:]
