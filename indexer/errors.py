"""
The error tree of the indexer, sorted by one question: can the same call succeed later?

    PerpscopeError
    ├── UserError               what was asked for cannot be done; exit 2
    └── WorldError              what was asked for is fine, the world is not; exit 1
        ├── RetryableError      the same call may succeed later
        │   ├── NodeUnavailable     no answer, a broken answer, or a rate limit
        │   ├── NodeBehind          the node has not seen the block yet
        │   └── DatabaseBusy        another process holds the database's write lock
        ├── RangeTooLarge       the node wants fewer blocks or smaller answers; ask for less
        ├── RequestsSpent       as many requests were sent as --max-requests allows
        ├── NodeAnswerWrong     the node contradicts itself or the request
        ├── HistoryPruned       the node has thrown this part of history away; never "no logs"
        ├── ReorgTooDeep        the chain changed below what it called final
        ├── DatabaseUnusable    the file cannot be opened, read or written as it is
        └── FileDamaged         a file that was brought is cut off, or unreadable as it is

Every message says what was seen, what was expected and what to do.
"""

from pathlib import Path


class PerpscopeError(Exception):
    """Anything perpscope reports in one sentence instead of a traceback."""


class UserError(PerpscopeError):
    """The request is wrong: an unknown name, a bad value, a setting that does not fit."""


class WorldError(PerpscopeError):
    """The request is right and something outside perpscope prevents it."""


class RetryableError(WorldError):
    """The same call may succeed later; nothing was written."""


class NodeUnavailable(RetryableError):
    """The node did not answer, answered with something unreadable, or asked us to slow down."""


class NodeBehind(RetryableError):
    """The node has not seen the block that was asked for."""


class DatabaseBusy(RetryableError):
    """Another process holds the write lock of the database."""


class RangeTooLarge(WorldError):
    """
    The node refuses the range or the size of its answer.

    Attributes:
        suggested: the (from_block, to_block) the node proposed, or None.
    """

    def __init__(self, message: str, suggested: tuple[int, int] | None = None) -> None:
        """Keep the node's suggestion beside the message."""
        super().__init__(message)
        self.suggested = suggested

    @property
    def most(self) -> int | None:
        """How many blocks the node proposed, or None."""
        return None if self.suggested is None else self.suggested[1] - self.suggested[0] + 1


class RequestsSpent(WorldError):
    """As many requests were sent as the user allows; what is whole is stored, run again."""


class NodeAnswerWrong(WorldError):
    """The node's answer contradicts the request or another of its answers."""


class HistoryPruned(WorldError):
    """The node no longer has the blocks, logs or state that were asked for."""


class ReorgTooDeep(WorldError):
    """The chain changed below the finality window; a person must decide how far to rewind."""


class DatabaseUnusable(WorldError):
    """The database file cannot be opened, read or written as it is."""


class FileDamaged(WorldError):
    """A file that was brought is cut off or broken; nothing of it was taken."""


def misplaced(path: Path, correct: str) -> str | None:
    """
    Return why no file can be at a path; None where one can.

    Args:
        path: of a file that is there or is to be made.
        correct: the option or setting that says so.
    """
    if path.is_dir():
        return f"{path} is a folder: expected a file; correct {correct}"
    if not path.parent.is_dir():
        return (
            f"there is no folder {path.parent} for {path.name}: expected one; make it, or correct "
            f"{correct}"
        )
    return None
