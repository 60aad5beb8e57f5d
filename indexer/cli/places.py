"""Where a command works, as its options say it: the database, and the copy for readers."""

from pathlib import Path

import typer

from indexer.config import Config
from indexer.errors import UserError, misplaced
from indexer.store import is_replaceable


def database_of(given: Path | None, settings: Config) -> Path:
    """
    Return the database a command works on: the one given, else the one the settings name.

    Raises:
        UserError: it is a folder or in none, or of a kind that cannot be used yet.
    """
    path = Path(given or settings.database)
    if str(path).startswith("ducklake:"):
        raise UserError(
            "ducklake: databases cannot be used yet: expected the path of a DuckDB file"
        )
    if why := misplaced(path, "--database, or database in the settings"):
        raise UserError(why)
    return path


def snapshot_of(settings: Config, database: Path) -> Path | None:
    """
    Return where the copy for readers is published; None for nowhere.

    It is the copy of the database of the settings: of another one nothing is published, aloud.

    Raises:
        UserError: it would be published over the database itself, or over another file.
        DatabaseBusy: another process held what is there all the time.
        DatabaseUnusable: what is there cannot be read.
    """
    if settings.storage.snapshot is None:
        return None
    target = Path(settings.storage.snapshot)
    if target.resolve() == database.resolve():
        raise UserError(
            f"storage.snapshot is {target}, the database itself: expected another file; correct it"
        )
    if Path(settings.database).resolve() != database.resolve():
        typer.echo(
            f"perpscope: the snapshot {target} stays as it is: it is the copy of "
            f"{settings.database}, the database of the settings, not of {database}",
            err=True,
        )
        return None
    if not is_replaceable(target):
        raise UserError(
            f"storage.snapshot is {target}, which is no copy that was published and would be lost: "
            "expected another file; correct it, or move that one away"
        )
    return target
