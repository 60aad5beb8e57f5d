"""The house rules hold for every file, present and future; and every rule can say no."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from house_rules import (
    broad_excepts,
    code_in_data,
    divided_columns,
    empty_names,
    group_moments,
    header,
    header_faults,
    long_bodies,
    long_module,
    machine_traces,
    says_nothing,
    shape_faults,
    thin_docstrings,
    undocumented_metrics,
    unfinished,
)

from perpscope import app

Rule = Callable[[str], list[str]]

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".py", ".sql", ".json", ".csv", ".toml", ".md", ".txt", ".yaml", ".j2", ".html", ".css"}
FOLDERS = ("indexer", "analytics", "abis", "queries", "tests", ".ci")


def below(folder: str, pattern: str = "*") -> list[Path]:
    """Return the files below a folder of the project whose names match, in order."""
    return sorted(path for path in (ROOT / folder).rglob(pattern) if path.is_file())


PYTHON = [*below("indexer", "*.py"), *below("analytics", "*.py"), ROOT / "perpscope.py"]
PROTOCOLS = [
    path
    for path in below("indexer/protocols", "*.py")
    if path.parent.name != "protocols" or path.stem != "__init__"
]
METRICS = [path for path in below("analytics/metrics", "*.py") if path.stem != "__init__"]
FORMULAS = [*METRICS, *(ROOT / "analytics").glob("*.py")]
QUERIES = below("queries", "*.sql")
PROSE = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
OURS = [
    *(path for folder in FOLDERS for path in below(folder) if path.suffix in TEXT),
    *(path for path in ROOT.iterdir() if path.is_file() and path.suffix in TEXT),
    *(ROOT / name for name in (".ci/run", ".sqlfluff", "Makefile")),
]

RULES: dict[Rule, list[Path]] = {
    long_bodies: PYTHON,
    long_module: PYTHON,
    empty_names: PYTHON,
    broad_excepts: PYTHON,
    thin_docstrings: PYTHON,
    code_in_data: PROTOCOLS,
    unfinished: [*PROTOCOLS, *below("tests", "test_protocol_*.py")],
    undocumented_metrics: METRICS,
    divided_columns: [path for path in FORMULAS if path.stem not in {"expressions", "load"}],
    group_moments: FORMULAS,
    header_faults: QUERIES,
    shape_faults: QUERIES,
    machine_traces: OURS,
}

# GMX v2's EventEmitter wraps its events in these; declarations name what is inside.
ENVELOPES = {"EventLog", "EventLog1", "EventLog2"}

HEADER = "-- question: a\n-- reads: fees\n-- grain: a\n-- units: a\n"
WRONG: list[tuple[Rule, str]] = [
    (long_bodies, "def f():\n" + "    x = 1\n" * 31),
    (long_module, "x = 1\n" * 301),
    (empty_names, "class LogHandler: ..."),
    (empty_names, "def new_rows(): ..."),
    (broad_excepts, "try:\n    f()\nexcept (OSError, Exception):\n    pass"),
    (broad_excepts, "try:\n    f()\nexcept:\n    pass"),
    (
        thin_docstrings,
        '"""What it is for."""\nclass A:\n    """What A is."""\n    def f(self): ...',
    ),
    (code_in_data, "DECIMALS = 1e18"),
    (code_in_data, "def contracts(): ..."),
    (code_in_data, "from decimal import Decimal"),
    (unfinished, '"""My venue: DRAFT, what it is in one line."""'),
    (unfinished, '"cause": Const("unknown"),  # DRAFT: no argument was recognised'),
    (undocumented_metrics, 'def fees():\n    """Fees.\n\n    Args:\n    """'),
    (divided_columns, "def f(a: pl.Expr, b: int):\n    return a / b"),
    (divided_columns, "def f(share: pl.Expr):\n    return share.sum() / pl.len()"),
    (group_moments, 'x = pl.col("price").mean()'),
    (header_faults, "-- question: How much?\n-- reads: fees\nselect 1 from fees"),
    (header_faults, HEADER + "select 1 from adls"),
    (shape_faults, "select 1; select 2"),
    (shape_faults, "with a as (\n    select * from fees\n)\nselect x from a"),
    (machine_traces, "see /" + "tmp/report.html"),
    (machine_traces, "pip install -i https://mirror.example/pypi/" + "simple"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_keeps_the_rule(rule: Rule) -> None:
    """No file of the project breaks a house rule."""
    broken = [
        f"{path.relative_to(ROOT)}: {fault}"
        for path in RULES[rule]
        for fault in rule(path.read_text(encoding="utf-8"))
    ]

    assert not broken, "\n".join(broken)


@pytest.mark.parametrize(("rule", "sample"), WRONG)
def test_a_rule_can_say_no(rule: Rule, sample: str) -> None:
    """Every rule refuses a sample that breaks it, so that none can fall silent."""
    assert rule(sample) != []


def test_a_query_that_keeps_the_rules_passes() -> None:
    """A header over several lines and a pipeline that ends in `select *` are fine."""
    query = HEADER.replace("fees", "fees,\n--           adls") + (
        "with a as (\n    select x from fees join adls using (x)\n)\nselect * from a"
    )

    assert header_faults(query) + shape_faults(query) == []


def test_no_module_has_an_empty_name() -> None:
    """Nobody can guess what is in `utils.py`."""
    places = [path.relative_to(ROOT).with_suffix("") for path in PYTHON]
    assert [place for place in places if any(map(says_nothing, place.parts))] == []


def test_an_abi_holds_only_what_is_used() -> None:
    """ABI files are lists of entries; declarations name every file and entry."""
    sources = "".join(path.read_text(encoding="utf-8") for path in below("indexer", "*.py"))
    lists = "".join(path.read_text(encoding="utf-8") for path in below("indexer", "*.csv"))
    quoted = re.findall(r'"(?:\w+/)?(\w+)[("]', sources)
    named = {*quoted, *re.findall(r"\w+", lists), *ENVELOPES}

    unused = [
        f"{path.parent.name}/{path.stem}: {entry['name']}"
        for path in below("abis", "*.json")
        for entry in json.loads(path.read_text(encoding="utf-8"))
        if not {path.stem, entry["name"]} <= named
    ]

    assert unused == []


def test_a_twin_names_its_metric() -> None:
    """A query in queries/metrics/ says which function it repeats: one of its own name."""
    wrong = [
        path.stem
        for path in below("queries/metrics", "*.sql")
        if not is_metric(header(path.read_text(encoding="utf-8")).get("twin of", ""), path.stem)
    ]

    assert wrong == []


def is_metric(dotted: str, name: str) -> bool:
    """Tell whether `package.module.function` exists in the source and is called `name`."""
    module, _, function = dotted.rpartition(".")
    source = ROOT / f"{module.replace('.', '/')}.py"
    return function == name and source.is_file() and f"\ndef {name}(" in source.read_text("utf-8")


def test_prose_names_only_commands_that_exist() -> None:
    """README and CONTRIBUTING never show a `perpscope` command or make target that is gone."""
    text = "".join(path.read_text(encoding="utf-8") for path in PROSE)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    commands = {group.name for group in app.registered_groups} | {
        command.name or command.callback.__name__.replace("_", "-")
        for command in app.registered_commands
        if command.callback
    }

    shown = set(re.findall(r"(?:^\$ |`)perpscope ([a-z-]+)", text, re.MULTILINE))
    targets = set(re.findall(r"(?:^\$ |`)make ([a-z-]+)", text, re.MULTILINE))

    assert shown <= commands
    assert targets <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def test_prose_names_only_files_and_lists_that_exist() -> None:
    """Who is told to write into a file or a list finds it; `my_venue` is nobody's."""
    text = "".join(path.read_text(encoding="utf-8") for path in PROSE)
    code = "".join(path.read_text(encoding="utf-8") for path in OURS if path.suffix == ".py")
    files = re.findall(r"`((?:indexer|analytics|queries|tests|abis)/[\w/.]+)`", text)
    lists = set(re.findall(r"`([A-Z_]{4,})`", text))
    own = {name for name in lists if name.startswith("PERPSCOPE_")}

    lost = {name for name in files if "my_venue" not in name and not (ROOT / name).exists()}
    assert lost == set()
    assert {name for name in lists - own if f"\n{name}" not in code} == set()


def test_constraints_pin_versions_and_nothing_else() -> None:
    """Every line of constraints.txt is `name==version`: no index, address or path."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()

    assert len(lines) > 50
    assert [line for line in lines if not re.fullmatch(r"[\w.-]+==[\w.!+]+", line)] == []
