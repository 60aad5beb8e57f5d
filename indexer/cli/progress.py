"""The bar that `perpscope index` draws on a terminal: how far, how fast, how much longer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

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
def shown(chain: Chain, console: Console) -> Iterator[Callable[[int, int, int], None]]:
    """Give what draws a run's progress; where the console is no terminal, nothing is drawn."""
    if not console.is_terminal:
        yield lambda _done, _total, _logs: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("blocks, {task.fields[logs]:,} logs,"),
        Rates(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("left"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(chain.slug, total=None, logs=0)
        yield lambda done, total, logs: bar.update(task, completed=done, total=total, logs=logs)
