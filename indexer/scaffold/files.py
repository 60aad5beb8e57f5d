"""The files of a draft, in a checkout: all of them, or none."""

import json
from contextlib import ExitStack
from pathlib import Path

from indexer.errors import UserError
from indexer.scaffold.draft import Draft
from indexer.scaffold.source import declaration, golden_test


def written(draft: Draft, root: Path) -> list[Path]:
    """
    Write the ABI, the declaration and its test below a checkout, and return their paths.

    Raises:
        UserError: there is no checkout, or one of the files is there already.
    """
    if not (root / "indexer/protocols").is_dir():
        raise UserError(f"{root} is no checkout of perpscope: expected indexer/protocols in it")
    texts = {
        root / f"abis/{draft.slug}/{draft.contract}.json": json.dumps(
            [entry for entries in draft.events.values() for entry in entries], indent=2
        ),
        root / f"indexer/protocols/{draft.slug}.py": declaration(draft),
        root / f"tests/test_protocol_{draft.slug}.py": golden_test(draft),
    }
    for path in texts:
        if path.exists():
            raise UserError(f"{path} is there already; expected a protocol that is new")
    with ExitStack() as undo:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            undo.callback(path.unlink, missing_ok=True)  # else it would be there already next time
            path.write_text(text.rstrip("\n") + "\n", encoding="utf-8")
        undo.pop_all()
    return list(texts)
