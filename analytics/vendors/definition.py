"""What a vendor's rules are made of: lines of steps from ours to theirs, and what is missing."""

from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, eq=False)
class Step:
    """
    One rule a vendor follows and we do not.

    Attributes:
        name: the rule.
        reason: why it moves the number.
        source: where the rule is published.
        value: the number once this rule holds too, of columns of `sums`.
        protocols: whose numbers follow it; empty for all.
        unknown: what counts the facts that sums of it cannot add, where it sums others than the
            line does.
    """

    name: str
    reason: str
    source: str
    value: pl.Expr
    protocols: tuple[str, ...] = ()
    unknown: str = ""


@dataclass(frozen=True, eq=False)
class Line:
    """
    One metric: ours, and the steps to theirs.

    Attributes:
        metric: its name.
        ours: our number, of columns of `sums`.
        facts: whose rows it is made of; a protocol without such a row has no line.
        unknown: what counts the facts that its sums cannot add.
        steps: the rules, in the order they are applied.
        protocols: who has the line; empty for all.
        is_of_window: it is of the whole window, and has no days.
    """

    metric: str
    ours: pl.Expr
    facts: tuple[str, ...] = ("fees",)
    unknown: str = "fees_unknown"
    steps: tuple[Step, ...] = ()
    protocols: tuple[str, ...] = ()
    is_of_window: bool = False


@dataclass(frozen=True)
class Missing:
    """What a vendor publishes and no fact here can tell: of which metric, and why not."""

    metric: str
    name: str
    reason: str
    source: str


@dataclass(frozen=True, eq=False)
class Definition:
    """A vendor's rules, as they were published in one version."""

    slug: str
    version: str
    lines: tuple[Line, ...]
    missing: tuple[Missing, ...]
