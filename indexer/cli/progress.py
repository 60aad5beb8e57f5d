"""The bar that a command draws on a terminal: how far, how fast, how much longer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from indexer.chains import Chain


class Rates(ProgressColumn):
    """Blocks and logs a second, over the time since the bar appeared."""

    def render(self, task: Task) -> Text:
        """Return both rates; nothing before the first range has landed."""
        seconds, done = task.elapsed, task.completed
        if not seconds or not done:
            return Text("")
        blocks, logs = done / seconds, task.fields["logs"] / seconds
        return Text(f"{blocks:,.0f} blocks/s, {logs:,.0f} logs/s", style="cyan")


@contextmanager
def drawn(
    chain: Chain, console: Console, columns: Sequence[ProgressColumn], **fields: Any
) -> Iterator[Callable[..., None]]:
    """
    Give what draws how many blocks of how many are done; no terminal, and nothing is drawn.

    Args:
        chain: whose slug stands before the bar.
        console: where to draw.
        columns: what stands behind the count of blocks.
        fields: what the columns ask for besides, and its value before the first call.
    """
    if not console.is_terminal:
        yield lambda _done, _total, **_fields: None
        return
    before = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*before, *columns, console=console, transient=True) as bar:
        task = bar.add_task(chain.slug, total=None, **fields)
        yield lambda done, total, **told: bar.update(task, completed=done, total=total, **told)


@contextmanager
def shown(chain: Chain, console: Console) -> Iterator[Callable[[int, int, int], None]]:
    """Give what draws a run's progress: blocks done, blocks in all, logs stored."""
    columns = (
        TextColumn("blocks, {task.fields[logs]:,} logs,"),
        Rates(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("left"),
    )
    with drawn(chain, console, columns, logs=0) as draw:
        yield lambda done, total, logs: draw(done, total, logs=logs)
