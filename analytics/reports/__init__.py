"""
Reports: numbers, what they rest on, and how to check them, in one folder.

    summary(path, limits=None) -> Summary
        the five numbers a person would ask for; `Summary.lines()` gives them as text
    write_report(path, output, limits=None, beside=None, *, require_proof=None, …) -> Path
        writes the folder and returns it, if its data holds and is proven as far as asked; `beside`
        lays a second report beside the first

Nothing here reads a clock, so the same database always gives the same bytes.
"""

from collections.abc import Callable
from pathlib import Path

from analytics.reports.scope import Limits
from analytics.reports.summary import Summary, summary

__all__ = ["Limits", "Summary", "summary", "write_report"]


def write_report(
    path: Path,
    output: Path,
    limits: Limits | None = None,
    beside: Limits | None = None,
    *,
    require_proof: str | None = None,
    despite_breaches: bool = False,
    warn: Callable[[str], None] | None = None,
) -> Path:
    """
    Write the report of a database into a folder, and return the folder.

    With `beside` it is compared with what lies in these limits. `warn` is told, once it is written,
    of each side that nothing of its time is covered.

    Raises:
        UserError: the folder holds something else, or the limits name what is not there.
        WorldError: the database cannot be read or has nothing in it, its data contradicts itself
            or is proven less far than asked, or the folder cannot be written; what was there
            before is untouched.
    """
    # Drawing needs a second to load, which `perpscope --help` does not have.
    from analytics.reports.bundle import write_report as write

    return write(
        path,
        output,
        limits,
        beside,
        require_proof=require_proof,
        despite_breaches=despite_breaches,
        warn=warn,
    )
