"""A command as a person types it, in this process."""

from functools import partial

from perpscope import app, outcome


def perpscope(*words: object) -> int:
    """Run a command in this process and return its exit code."""
    return outcome(partial(app, [str(word) for word in words], standalone_mode=False))
