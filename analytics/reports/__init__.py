"""
Reports: numbers, what they rest on, and how to check them, in one folder.

    summary(path, limits=None) -> Summary
        the five numbers a person would ask for; `Summary.lines()` gives them as text

Nothing here reads a clock, so the same database always gives the same bytes.
"""

from analytics.reports.scope import Limits
from analytics.reports.summary import Summary, summary

__all__ = ["Limits", "Summary", "summary"]
