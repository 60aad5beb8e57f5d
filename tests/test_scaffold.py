"""`perpscope new-protocol`: a draft that keeps the rules and reads its own logs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from goldens import ROOT
from typer.testing import CliRunner

from indexer.scaffold import likely_table
from perpscope import app

VAULT = ROOT / "abis/gmx_v1/Vault.json"
ADDRESS = "0x855E99F768FaD76DD0d3EB7c446C0b759C96D520"
PARTS = ("abis", "indexer", "analytics", "queries", "tests", "pyproject.toml", "perpscope.py")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout with a fork of GMX v1 drafted in it."""
    root = tmp_path_factory.mktemp("draft") / "perpscope"
    tracked = [
        *PARTS,
        ".ci/run",
        ".sqlfluff",
        "README.md",
        "CONTRIBUTING.md",
        "Makefile",
        "constraints.txt",
    ]
    for name in tracked:
        copied(ROOT / name, root / name)
    result = run(
        "new-protocol", "a_fork", "--abi", VAULT, "--chain", "bsc", "--address", ADDRESS,
        "--folder", root,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    return root


def copied(source: Path, target: Path) -> None:
    """Copy a file, or a folder without what Python left there."""
    if source.name in ("__pycache__", "node_modules"):
        return
    if source.is_dir():
        target.mkdir(parents=True)
        for part in source.iterdir():
            copied(part, target / part.name)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def run(*words: object):  # type: ignore[no-untyped-def] # the runner's own type is private
    """Run the command line."""
    return CliRunner().invoke(app, [str(word) for word in words])


def test_a_draft_is_three_new_files(checkout: Path) -> None:
    """Nothing that was there is changed: not a line outside the new files."""
    there = {path.relative_to(checkout) for path in checkout.rglob("*") if path.is_file()}
    changed = {
        str(path)
        for path in there
        if not (ROOT / path).exists()
        or (ROOT / path).read_bytes() != (checkout / path).read_bytes()
    }

    assert {path for path in changed if "__pycache__" not in path} == {
        "abis/a_fork/Vault.json",
        "indexer/protocols/a_fork.py",
        "tests/test_protocol_a_fork.py",
    }


@pytest.mark.parametrize("words", [["format", "--check"], ["check"]])
def test_a_draft_keeps_the_linters_rules(checkout: Path, words: list[str]) -> None:
    """What is written is formatted, sorted and documented as everything else is."""
    files = ["indexer/protocols/a_fork.py", "tests/test_protocol_a_fork.py"]

    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words, *files],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


def test_a_draft_keeps_the_house_rules_and_reads_its_logs(checkout: Path) -> None:
    """The house rules, the tests of every ABI, and the draft's own test pass at once."""
    names = ("protocol_a_fork", "house_rules", "abis")
    files = [f"tests/test_{name}.py" for name in names]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", *files],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-3000:]


def test_a_draft_says_what_was_guessed(checkout: Path) -> None:
    """Guesses and columns that are not known are marked where they stand."""
    source = (checkout / "indexer/protocols/a_fork.py").read_text(encoding="utf-8")

    assert '"market": "indexToken",' in source
    assert '"derivation": Const("direct"),  # a guess' in source
    assert "# not known: notional_delta_usd" in source


@pytest.mark.parametrize(
    ("event", "table"),
    [
        ("LiquidatePosition", "liquidations"),
        ("DecreasePosition", "position_changes"),
        ("CollectMarginFees", "fees"),
        ("UpdateFundingRate", "funding"),
        ("AnswerUpdated", "oracle_updates"),
        ("Deposit", "pool_flows"),
        ("OwnershipTransferred", None),
    ],
)
def test_a_name_hints_at_a_table(event: str, table: str | None) -> None:
    """The commonest names are guessed; one that says nothing is not."""
    assert likely_table(event) == table


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Bad-Name"], "Bad-Name is no name"),
        (["venue", "--address", "0x12"], "0x12 is no address"),
        (["venue", "--chain", "nowhere"], "nowhere"),
        (["venue", "--event", "Nothing=fees"], "the ABI has no event Nothing"),
        (["venue", "--event", "IncreasePosition=trades"], "expected Event=table"),
        (["venue", "--folder", "elsewhere"], "is no checkout of perpscope"),
    ],
)
def test_a_wrong_word_is_named(words: list[str], said: str, tmp_path: Path) -> None:
    """One sentence for each mistake, and nothing is written."""
    result = run("new-protocol", *words, "--abi", VAULT, *folder_of(words, tmp_path))

    assert said in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def folder_of(words: list[str], tmp_path: Path) -> list[object]:
    """Return where to write, unless the words say it."""
    return [] if "--folder" in words else ["--folder", tmp_path]


@pytest.mark.parametrize("text", ["", "{}", "[]", '"text"', json.dumps([{"type": "function"}])])
def test_a_file_that_is_no_abi_is_named(text: str, tmp_path: Path) -> None:
    """Whatever is wrong with it: no JSON, no list, no event."""
    path = tmp_path / "Wrong.json"
    path.write_text(text, encoding="utf-8")

    result = run("new-protocol", "venue", "--abi", path)

    assert "Wrong.json" in str(result.exception)


def test_a_name_that_is_taken_is_refused() -> None:
    """No declaration is written over."""
    result = run("new-protocol", "gmx_v1", "--abi", VAULT, "--folder", ROOT)

    assert "is there already" in str(result.exception)
