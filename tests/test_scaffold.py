"""`perpscope new-protocol`: a draft that keeps the rules and reads its own logs."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path

import pytest
from eth_utils.crypto import keccak
from goldens import ROOT, declared_as, topic_of
from house_rules import unfinished
from test_house_rules import RULES
from typer.testing import CliRunner

from indexer.scaffold import likely_table
from perpscope import app

VAULT = ROOT / "abis/gmx_v1/Vault.json"
MUX = ROOT / "abis/mux/LiquidityPool.json"
MORPHO = ROOT / "abis/morpho_blue/Morpho.json"
LONG = "a_lender_of_a_long_name"
DRAFTS = {"a_fork": VAULT, "b_fork": MUX, LONG: MORPHO}
ADDRESS = "0x855E99F768FaD76DD0d3EB7c446C0b759C96D520"
PARTS = ("abis", "indexer", "analytics", "queries", "tests", "pyproject.toml", "perpscope.py")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout with forks of GMX v1 and, for its overloads, MUX in it."""
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
    for slug, abi in DRAFTS.items():
        result = run(
            "new-protocol", slug, "--abi", abi, "--chain", "bsc", "--address", ADDRESS,
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
        "abis/b_fork/LiquidityPool.json",
        f"abis/{LONG}/Morpho.json",
        *(f"indexer/protocols/{slug}.py" for slug in DRAFTS),
        *(f"tests/test_protocol_{slug}.py" for slug in DRAFTS),
    }


@pytest.mark.parametrize("words", [["format", "--check"], ["check"]])
def test_a_draft_keeps_the_linters_rules(checkout: Path, words: list[str]) -> None:
    """What is written is formatted, sorted and documented as everything else is."""
    files = [
        name
        for slug in DRAFTS
        for name in (f"indexer/protocols/{slug}.py", f"tests/test_protocol_{slug}.py")
    ]

    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words, *files],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


def test_a_draft_keeps_the_house_rules(checkout: Path) -> None:
    """All rules for files of its kinds but the one that a draft is there to break."""
    twins = {
        "indexer/protocols/level_finance.py": [f"indexer/protocols/{slug}.py" for slug in DRAFTS],
        "tests/test_protocol_gmx_v1.py": [f"tests/test_protocol_{slug}.py" for slug in DRAFTS],
        "abis/gmx_v1/Vault.json": [f"abis/{slug}/{abi.name}" for slug, abi in DRAFTS.items()],
    }
    asked = {
        (rule, name)
        for twin, names in twins.items()
        for rule, paths in RULES.items()
        if ROOT / twin in paths
        for name in names
    }

    broken = {rule for rule, name in asked if rule((checkout / name).read_text("utf-8"))}

    assert broken == {unfinished}
    assert len({rule for rule, _ in asked}) > 6


def test_a_draft_reads_its_logs(checkout: Path) -> None:
    """The tests of every ABI and its own pass in the checkout, and what else is asked of files."""
    names = (*(f"protocol_{slug}" for slug in DRAFTS), "house_rules", "abis")
    files = [f"tests/test_{name}.py" for name in names]
    seen = "tests/test_house_rules.py::test_every_file_keeps_the_rule"

    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider"),
            *("--deselect", seen, *files),
        ],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-3000:]


@pytest.fixture
def fork(checkout: Path) -> Iterator[list[Path]]:
    """Draft a fork of Level Finance and copy the family's events, ABIs and goldens over it."""
    family = [
        "abis/level_finance/Pool.json",
        "abis/level_finance/Oracle.json",
        "indexer/protocols/level_finance.py",
        "tests/test_protocol_level_finance.py",
    ]
    result = run("new-protocol", "c_fork", "--abi", ROOT / family[0], "--folder", checkout)
    assert result.exit_code == 0, result.output
    files = [checkout / name.replace("level_finance", "c_fork") for name in family]
    for path, copy in zip(family, files, strict=True):
        source = (ROOT / path).read_text(encoding="utf-8")
        copy.write_text(source.replace("level_finance", "c_fork"), encoding="utf-8")
    yield files
    for copy in files:
        copy.unlink()


def test_a_fork_takes_the_events_of_its_family(checkout: Path, fork: list[Path]) -> None:
    """Nothing else than the fork's own files changes, and nothing of the draft is left."""
    declaration, test = fork[-2:]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", test],
        cwd=checkout, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout[-3000:]
    assert [unfinished(path.read_text("utf-8")) for path in (declaration, test)] == [[], []]


def test_a_draft_says_what_was_guessed(checkout: Path) -> None:
    """Guesses and columns that are not known are marked where they stand."""
    source = (checkout / "indexer/protocols/a_fork.py").read_text(encoding="utf-8")

    assert '"market": "indexToken",  # DRAFT: a guess\n' in source
    assert '"account": "account",\n' in source
    assert 'into="liquidations",  # DRAFT: a guess\n' in source
    assert '"derivation": Const("direct"),  # DRAFT: a guess' in source
    assert "# DRAFT, not known: notional_delta_usd" in source
    assert 'kind="perp",  # DRAFT' in source


def test_a_draft_spells_what_a_tuple_holds(checkout: Path) -> None:
    """A declaration names the parts by their path; an event may also announce a market."""
    source = (checkout / f"indexer/protocols/{LONG}.py").read_text(encoding="utf-8")

    assert "# CreateMarket(bytes32 id, (address loanToken, address collateralToken," in source
    assert 'into="markets"' in source


def test_a_draft_names_what_it_does_not_read(checkout: Path, tmp_path: Path) -> None:
    """Each event of the ABI stands in the draft: read, or in a comment that says why not."""
    (tmp_path / "indexer/protocols").mkdir(parents=True)
    path = "indexer/protocols/a_fork.py"

    done = run(
        "new-protocol", "a_fork", "--abi", VAULT, "--event", "SellUSDG=fees", "--folder", tmp_path
    )

    guessed, named = ((root / path).read_text("utf-8") for root in (checkout, tmp_path))
    assert "        # DRAFT, not read, as its name says no table: SellUSDG(address" in guessed
    assert "DRAFT, not read, as no --event names it: LiquidatePosition(" in named
    assert "LiquidatePosition is not read: no --event names it\n" in done.output
    for source in (guessed, named):
        left = source.count("DRAFT, not read, as ")
        assert left + len(names_in(source)) == len(json.loads(VAULT.read_text("utf-8")))


def drafted_in(folder: Path, slug: str, abi: Path, *words: str) -> tuple[str, list[str], str]:
    """Draft a protocol, and return its source, the signatures of its ABI, and its test."""
    (folder / "indexer/protocols").mkdir(parents=True)
    result = run("new-protocol", slug, "--abi", abi, "--folder", folder, *words)
    assert result.exit_code == 0, result.output
    entries = json.loads((folder / f"abis/{slug}/{abi.stem}.json").read_text("utf-8"))
    test = (folder / f"tests/test_protocol_{slug}.py").read_text("utf-8")
    source = (folder / f"indexer/protocols/{slug}.py").read_text("utf-8")
    return source, [declared_as(entry) for entry in entries], test


def names_in(source: str) -> list[str]:
    """Return what the events of a declaration are called."""
    return [
        str(word.value.value)
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        for word in call.keywords
        if word.arg == "name" and isinstance(word.value, ast.Constant)
    ][1:]  # the first is the protocol's


OPENED = [
    "OpenPosition(address,uint8,(bytes32,uint8,bool,uint96,uint96,uint96,uint96,uint96,uint96,uint96))",
    "OpenPosition(address,uint8,(bytes32,uint8,bool,uint96,uint96,uint96,uint96,uint96))",
]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["OpenPosition=position_changes"], OPENED),
        ([f"{OPENED[1]}=position_changes"], OPENED[1:]),
        ([f"{OPENED[1]}=fees", f"{OPENED[0]}=position_changes"], [OPENED[1], OPENED[0]]),
    ],
    ids=["all of a name", "one signature", "both signatures"],
)
def test_overloaded_events_are_told_apart(
    words: list[str], expected: list[str], tmp_path: Path
) -> None:
    """Two releases of one event are two events; a name means both, a signature one."""
    options = [part for word in words for part in ("--event", word)]

    source, _, _ = drafted_in(tmp_path, "a_fork", MUX, *options)

    assert names_in(source) == expected


def test_a_draft_guesses_for_every_overload(tmp_path: Path) -> None:
    """Of MUX's events none is lost, although three names stand there twice."""
    source, kept, test = drafted_in(tmp_path, "a_fork", MUX)

    entries = json.loads(MUX.read_text("utf-8"))
    likely = [declared_as(one) for one in entries if likely_table(one["name"])]
    assert sorted(kept) == sorted(likely)
    assert len(names_in(source)) == test.count("        {\n") == len(likely)


def test_releases_that_index_otherwise_are_one_event_and_two_goldens(tmp_path: Path) -> None:
    """One signature is one topic; how many topics a log has tells its releases apart."""
    (one,) = [
        entry
        for entry in json.loads(VAULT.read_text("utf-8"))
        if entry["name"] == "CollectSwapFees"
    ]
    first, *others = one["inputs"]
    twin = one | {"inputs": [first | {"indexed": True}, *others]}
    path = tmp_path / "Two.json"
    path.write_text(json.dumps([one, twin, one]), encoding="utf-8")

    source, kept, test = drafted_in(tmp_path, "a_fork", path)

    assert names_in(source) == ["CollectSwapFees"]
    assert kept == [declared_as(one), declared_as(twin)]
    assert [test.count(f'"{name}"') for name in kept] == [1, 1]


def test_releases_that_no_log_tells_apart_are_refused(tmp_path: Path) -> None:
    """As many arguments are indexed, but others: each needs an ABI file of its own."""
    inputs = [{"name": name, "type": "uint256", "indexed": name == "a"} for name in "ab"]
    other = [one | {"indexed": not one["indexed"]} for one in inputs]
    path = tmp_path / "Two.json"
    entries = [{"type": "event", "name": "FeePaid", "inputs": each} for each in (inputs, other)]
    path.write_text(json.dumps(entries), encoding="utf-8")

    result = run("new-protocol", "venue", "--abi", path)

    assert "no log tells which it is" in str(result.exception)


@pytest.mark.parametrize(
    ("event", "table"),
    [
        ("LiquidatePosition", "liquidations"),
        ("DecreasePosition", "position_changes"),
        ("CollectMarginFees", "fees"),
        ("UpdateFundingRate", "funding"),
        ("AnswerUpdated", "oracle_updates"),
        ("Deposit", "pool_flows"),
        ("Repay", "credit_events"),
        ("CreateMarket", "markets"),
        ("SetFee", None),
        ("SetFeeRecipient", None),
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
        (
            ["venue", "--event", "IncreasePosition=fees", "--event", "IncreasePosition=funding"],
            "IncreasePosition=funding: a table is given for IncreasePosition already",
        ),
        (["venue", "--folder", "elsewhere"], "is no checkout of perpscope"),
        (["venue", "--abi", "no.json"], "no.json is not an ABI: No such file or directory; exp"),
    ],
)
def test_a_wrong_word_is_named(words: list[str], said: str, tmp_path: Path) -> None:
    """One sentence for each mistake, and nothing is written."""
    result = run("new-protocol", "--abi", VAULT, *words, *folder_of(words, tmp_path))

    assert said in str(result.exception)
    assert list(tmp_path.iterdir()) == []


def folder_of(words: list[str], tmp_path: Path) -> list[object]:
    """Return where to write, unless the words say it."""
    return [] if "--folder" in words else ["--folder", tmp_path]


_TUPLE = {"type": "event", "name": "E", "inputs": [{"name": "a", "type": "tuple"}]}


@pytest.mark.parametrize(
    "text",
    [
        *("", "{}", "[]", '"text"', json.dumps([{"type": "function"}])),
        *(json.dumps([{"type": "event", "name": "E"}]), json.dumps([_TUPLE])),
        json.dumps([_TUPLE | {"inputs": [{"name": "a"}]}]),
        json.dumps([_TUPLE | {"inputs": [{"type": "uint256"}]}]),
        json.dumps([_TUPLE | {"inputs": ["a"]}]),
        *(json.dumps([_TUPLE | {"inputs": [], "name": name}]) for name in (None, 5, "", "a b")),
    ],
)
def test_a_file_that_is_no_abi_is_named(text: str, tmp_path: Path) -> None:
    """Whatever is wrong with it: no JSON, no list, no event, half an event."""
    path = tmp_path / "Wrong.json"
    path.write_text(text, encoding="utf-8")

    result = run("new-protocol", "venue", "--abi", path)

    assert "Wrong.json" in str(result.exception)


@pytest.mark.parametrize("part", ["name", "type"])
def test_a_name_that_would_be_code_is_refused(part: str, tmp_path: Path) -> None:
    """Declarations are loaded by every run: what Solidity could not write is not written there."""
    argument = {"name": "a", "type": "uint256"} | {part: 'a", print(1), "'}
    path = tmp_path / "Wrong.json"
    path.write_text(json.dumps([{"type": "event", "name": "Fee", "inputs": [argument]}]), "utf-8")

    result = run("new-protocol", "venue", "--abi", path, "--folder", tmp_path)

    assert "as Solidity writes them" in str(result.exception)


def test_a_name_that_is_taken_is_refused() -> None:
    """No declaration is written over."""
    result = run("new-protocol", "gmx_v1", "--abi", VAULT, "--folder", ROOT)

    assert "is there already" in str(result.exception)


def test_a_draft_that_cannot_be_written_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else half of it would be there already when there is room for all."""
    (tmp_path / "indexer" / "protocols").mkdir(parents=True)
    write = Path.write_text

    def full(path: Path, text: str, encoding: str) -> int:
        write(path, text[:9], encoding)
        if path.suffix == ".py":
            raise OSError(ENOSPC, os.strerror(ENOSPC))
        return 9

    monkeypatch.setattr(Path, "write_text", full)
    result = run("new-protocol", "a_fork", "--abi", VAULT, "--folder", tmp_path)

    assert isinstance(result.exception, OSError)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def event_of(
    name: str, *inputs: tuple[str, str, bool], anonymous: bool = False
) -> dict[str, object]:
    """Return an ABI entry of arguments by name, type and whether they are topics."""
    named = [{"name": one, "type": kind, "indexed": topic} for one, kind, topic in inputs]
    return {"type": "event", "name": name, "anonymous": anonymous, "inputs": named}


def test_an_anonymous_event_is_not_drafted(tmp_path: Path) -> None:
    """It logs no topic of its own: to read it by its name would find nothing, for ever."""
    path = tmp_path / "Venue.json"
    noted = event_of("FeeNoted", ("fee", "uint256", False), anonymous=True)
    path.write_text(json.dumps([noted, event_of("FeePaid", ("fee", "uint256", False))]))

    source, _, _ = drafted_in(tmp_path / "guessed", "venue", path)
    asked = run("new-protocol", "venue", "--abi", path, "--event", "FeeNoted=fees")

    assert names_in(source) == ["FeePaid"]
    assert "# DRAFT, not read, as it is anonymous: FeeNoted(uint256 fee)" in source
    assert "FeeNoted is anonymous, so" in str(asked.exception)


def test_a_list_of_a_fixed_length_is_filled(tmp_path: Path) -> None:
    """One that were empty could not be encoded, and the draft's own test would end there."""
    path = tmp_path / "Venue.json"
    pairs = {"name": "pairs", "type": "tuple[2]", "components": [{"name": "a", "type": "bool"}]}
    kinds = {"any": "bytes[]", "three": "uint8[3]", "nested": "uint8[][2]"}
    paid = event_of("FeePaid", *((name, kind, False) for name, kind in kinds.items()))
    path.write_text(json.dumps([{**paid, "inputs": [*paid["inputs"], pairs]}]))  # type: ignore[misc]

    _, _, test = drafted_in(tmp_path, "venue", path)

    given = ('"any": []', '"three": [1] * 3', '"nested": [[]] * 2', '"pairs": [(True,)] * 2')
    assert all(f"            {one},\n" in test for one in given)


def test_an_abi_that_hints_at_no_table_is_told(tmp_path: Path) -> None:
    """What to say is in the sentence, and nothing is written."""
    path = tmp_path / "Venue.json"
    path.write_text(json.dumps([event_of("Happened"), event_of("SetFee")]), encoding="utf-8")

    result = run("new-protocol", "venue", "--abi", path, "--folder", tmp_path)

    said = "no table could be guessed for Happened, SetFee; say --event NAME=table for each"
    assert str(result.exception) == said
    assert list(tmp_path.iterdir()) == [path]


def test_arguments_without_a_name_are_called_by_their_place(tmp_path: Path) -> None:
    """A declaration reads arguments by name, and so does a golden log that gives them values."""
    path = tmp_path / "Venue.json"
    paid = event_of("FeePaid", ("", "address", True), ("", "uint256", False))
    path.write_text(json.dumps([paid]))

    source, signatures, test = drafted_in(tmp_path / "drafted", "venue", path)

    assert "# FeePaid(address argument_0, uint256 argument_1)" in source
    assert "argument_0" in test
    assert "argument_1" in test
    assert signatures == ["FeePaid(address indexed,uint256)"]


def test_a_required_number_is_the_likeliest(tmp_path: Path) -> None:
    """A price is not the number of the market that stands before it."""
    path = tmp_path / "Venue.json"
    inputs = (("market", "uint256", True), ("newPrice", "uint256", False))
    path.write_text(json.dumps([event_of("PriceSet", *inputs)]))

    source, _, _ = drafted_in(tmp_path / "drafted", "venue", path)

    assert '"feed": "market",' in source
    assert '"oracle_price_quote": Fixed("newPrice", 18),  # DRAFT: a guess' in source


@pytest.mark.parametrize(
    ("kind", "value", "topic"),
    [
        ("string", "ETH", keccak(text="ETH")),
        ("bytes", b"ETH", keccak(text="ETH")),
        ("uint8", 7, bytes(31) + b"\7"),
        ("uint8[2]", [0, 7], keccak(bytes(63) + b"\7")),
    ],
)
def test_a_golden_hashes_a_topic_that_is_no_word(kind: str, value: object, topic: bytes) -> None:
    """As chains do: a log of the value itself would have too many bytes to be read."""
    assert topic_of({"name": "one", "type": kind}, value) == topic
