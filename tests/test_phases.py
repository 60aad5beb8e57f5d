"""Aggregators behind proxies: asked, listed, read; answers and lists that are none."""

import csv
import re
from collections.abc import Mapping
from errno import ENOSPC
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from commands import perpscope
from goldens import log
from sync_rig import DECIMALS, FIRST, contents, served, told, word
from sync_rig import rows as stored

from indexer.chains import ARBITRUM, ETHEREUM
from indexer.errors import WorldError
from indexer.facts.questions import abi_functions
from indexer.phases import read_phases, with_phases, write_phases
from indexer.protocols import PROTOCOLS
from indexer.settings import Phase
from indexer.simulation.blocks import Log
from indexer.simulation.node import serve
from indexer.simulation.served import CallKey, ServedChain
from indexer.spec import listed

COUNT = 60
ETH_USD = "0x5f4ec3df9cbd43714fe2740f5e3616155c5b8419"
DAI_USD = "0xaed0c38402a5d19df6e4c03f4e2dced6e29c1ee9"
OLD, NEW, NEWEST = ("0x" + text * 20 for text in ("a1", "a2", "a3"))
HEADING = "protocol,chain,contract,phase,address,block_number"

_FUNCTIONS = abi_functions("chainlink/Proxy")
COUNTED, MEMBER = ("0x" + _FUNCTIONS[name].selector.hex() for name in _FUNCTIONS)


def behind(proxy: str, *aggregators: str) -> dict[CallKey, str]:
    """Return what a proxy answers that stood on these aggregators."""
    said: dict[CallKey, str] = {(None, proxy, COUNTED): "0x" + word(len(aggregators)).hex()}
    for phase, address in enumerate(aggregators, 1):
        question = MEMBER + word(phase).hex()
        said[None, proxy, question] = "0x" + word(int(address, 16)).hex()
    return said


def chain(calls: Mapping[CallKey, str], *answers: tuple[int, str]) -> ServedChain:
    """Return a chain of `COUNT` blocks with answers of aggregators at some of them."""
    happens: dict[int, list[Log]] = {}
    for block, aggregator in answers:
        built = log(
            *("chainlink/Aggregator", "AnswerUpdated", aggregator),
            current=2_000 * 10**8,
            roundId=1,
            updatedAt=1_700_000_000,
        )
        sent = Log(bytes.fromhex(aggregator[2:]), built.topics, built.data)
        happens.setdefault(block, []).append(sent)
    decimals = {(None, one, DECIMALS): "0x" + word(8).hex() for one in (OLD, NEW, NEWEST)}
    return served(told(happens, COUNT), calls=decimals | dict(calls))


def phase(**more: object) -> Phase:
    """Return the first phase of ETH/USD on Ethereum."""
    plain = {"protocol": "chainlink", "chain": "ethereum", "contract": ETH_USD, "phase": 1}
    return Phase.model_validate({**plain, "address": OLD, "block_number": 7, **more})


def ask(path: Path, url: str, *words: str) -> int:
    """Ask the proxies of Ethereum at a node, and write the list."""
    return perpscope("phases", "--chain", "ethereum", "--rpc", url, "--output", path, *words)


# --- asking ---------------------------------------------------------------------------------------


def test_proxies_are_asked_and_their_answers_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two of 200 and more proxies answer; asked again, the list only grows by what is new."""
    path, head = tmp_path / "list.csv", FIRST + COUNT - 1
    first = {**behind(ETH_USD, OLD, NEW), **behind(DAI_USD, OLD)}
    with serve([chain(first)]) as node:
        assert ask(path, node.url) == 0
        said = capsys.readouterr().out
        once = path.read_text("utf-8")
        assert ask(path, node.url) == 0
        assert path.read_text("utf-8") == once
        node.replace(chain({**behind(ETH_USD, OLD, NEW, NEWEST)}))
        assert ask(path, node.url) == 0

    asked = sum(row["chain"] == "ethereum" for row in listed("chainlink_proxies"))
    assert said == (
        f"ethereum: 2 of {asked:,} contracts told of 3 phases at block {head}; 3 are new in "
        f'{path}\nTo read them, name the list in the settings: phases = ["{path}"]\n'
    )
    lines = [
        f"chainlink,ethereum,{ETH_USD},1,{OLD},{head}",
        f"chainlink,ethereum,{ETH_USD},2,{NEW},{head}",
        f"chainlink,ethereum,{ETH_USD},3,{NEWEST},{head}",
        f"chainlink,ethereum,{DAI_USD},1,{OLD},{head}",
    ]
    assert once == "\n".join([HEADING, lines[0], lines[1], lines[3], ""])
    assert path.read_text("utf-8") == "\n".join([HEADING, *lines, ""])
    assert "1 are new in" in capsys.readouterr().out


@pytest.mark.parametrize(
    "calls",
    [
        {(None, ETH_USD, COUNTED): "0x"},
        {(None, ETH_USD, COUNTED): "0x02"},
        {(None, ETH_USD, COUNTED): "0x" + word(0).hex()},
        {**behind(ETH_USD, OLD), (None, ETH_USD, COUNTED): "0x" + word(65_535).hex()},
        {(None, ETH_USD, COUNTED): "0x" + word(2**255).hex()},
        {(None, ETH_USD, COUNTED): "0x" + word(2).hex()},
        behind(ETH_USD, "0x" + "00" * 20),
        {**behind(ETH_USD, OLD), (None, ETH_USD, MEMBER + word(1).hex()): "0x" + "ff" * 32},
        {**behind(ETH_USD, OLD), (None, ETH_USD, MEMBER + word(1).hex()): "0x" + "ff" * 20},
    ],
    ids=["nothing", "short", "zero", "many", "huge", "reverts", "nobody", "dirty", "cut"],
)
def test_an_answer_that_is_none_names_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], calls: Mapping[CallKey, str]
) -> None:
    """Where no proxy tells anybody, that is the node's failure; no list is written."""
    path = tmp_path / "list.csv"
    with serve([chain(calls)]) as node:
        assert ask(path, node.url) == 1

    assert "contracts on ethereum told who stands behind it at block" in capsys.readouterr().err
    assert not path.exists()


def test_a_list_may_be_named_before_it_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What refuses the missing list names the command that writes it, which must not refuse it."""
    path, other = tmp_path / "list.csv", tmp_path / "other.csv"
    with serve([chain(behind(ETH_USD, OLD))]) as node:
        assert ask(path, node.url, "--config", str(settings(tmp_path, node.url, path, other))) == 0

    assert "1 are new in" in capsys.readouterr().out
    assert [one.address for one in read_phases(path)] == [OLD]


def test_a_list_of_windows_is_read(tmp_path: Path) -> None:
    """A spreadsheet begins it with a mark that it is text."""
    write_phases(tmp_path / "list.csv", [phase()])
    text = (tmp_path / "list.csv").read_text("utf-8").replace("\n", "\r\n")
    (tmp_path / "list.csv").write_bytes(f"\ufeff{text}".encode())

    assert read_phases(tmp_path / "list.csv") == (phase(),)


def test_a_list_behind_a_link_stays_there(tmp_path: Path) -> None:
    """What the link stands for is replaced."""
    link = tmp_path / "link.csv"
    link.symlink_to(tmp_path / "list.csv")

    assert write_phases(link, [phase()]) == 1
    assert link.is_symlink()
    assert read_phases(tmp_path / "list.csv") == (phase(),)


def test_a_protocol_without_proxies_has_nobody_to_ask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Named before a node is asked."""
    assert ask(tmp_path / "list.csv", "http://127.0.0.1:9", "--protocol", "maple") == 2

    assert "none of maple has contracts on ethereum that others" in capsys.readouterr().err


def test_a_list_in_no_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Said before a node is asked: the answers would have no place."""
    assert ask(tmp_path / "nowhere" / "list.csv", "http://127.0.0.1:9") == 2

    assert "for list.csv: expected one; make it, or correct --output" in capsys.readouterr().err


def test_a_full_disk_leaves_nothing_beside_the_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of the new list goes away; the old one is as before."""
    path = tmp_path / "list.csv"
    write_phases(path, [phase()])
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(csv.DictWriter, "writerows", full)
    with pytest.raises(WorldError, match="it is as before"):
        write_phases(path, [phase()])

    assert [file.read_bytes() for file in tmp_path.iterdir()] == [before]


def test_a_link_to_a_list_stays_one(tmp_path: Path) -> None:
    """What it stands for grows; a file that a user put beside it is the user's."""
    path, link, mine = tmp_path / "kept" / "list.csv", tmp_path / "list.csv", tmp_path / "kept"
    path.parent.mkdir()
    write_phases(path, [phase()])
    link.symlink_to(path)
    (mine / "list.csv.new").write_text("mine", encoding="utf-8")

    write_phases(link, [phase(address=NEW)])

    assert link.is_symlink()
    assert {one.address for one in read_phases(path)} == {OLD, NEW}
    assert (mine / "list.csv.new").read_text(encoding="utf-8") == "mine"


def test_what_two_runs_add_at_once_is_all_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One has read the list and not written it yet when the other begins."""
    path = Path(listed_as(tmp_path, phase()))
    other = Thread(target=write_phases, args=(path, [phase(address=NEW)]))
    write = csv.DictWriter.writeheader

    def begins(writer: Any) -> object:
        if not other.ident:
            other.start()
            other.join(0.5)
        return write(writer)

    monkeypatch.setattr(csv.DictWriter, "writeheader", begins)
    write_phases(path, [phase(address=NEWEST)])
    other.join()

    assert {one.address for one in read_phases(path)} == {OLD, NEW, NEWEST}


# --- reading --------------------------------------------------------------------------------------


def listed_as(folder: Path, *lines: Phase) -> str:
    """Write a list and return its path."""
    path = folder / "list.csv"
    write_phases(path, lines)
    return str(path)


def test_who_stood_behind_is_declared_as_its_proxy_is(tmp_path: Path) -> None:
    """Under the proxy's names; an aggregator that is declared already stays what it is."""
    plain = PROTOCOLS["chainlink"]
    held = next(row for row in listed("chainlink_aggregators") if row["chain"] == "ethereum")
    behind_it = [phase(phase=2, address=NEW), phase(phase=3, address=held["address"])]
    path = listed_as(tmp_path, phase(), *behind_it)

    known = with_phases(PROTOCOLS, (path,), ETHEREUM)

    fresh = known["chainlink"].contracts[len(plain.contracts) :]
    assert [(one.address, one.abi, one.chain, dict(one.says)) for one in fresh] == [
        (OLD, "chainlink/Aggregator", ETHEREUM, {"asset": "ETH", "quote": "USD"}),
        (NEW, "chainlink/Aggregator", ETHEREUM, {"asset": "ETH", "quote": "USD"}),
    ]
    assert "2 more contracts are read, which stood" in known["chainlink"].methodology
    assert known["gmx_v2"] is PROTOCOLS["gmx_v2"]


def test_a_list_of_what_is_declared_changes_nothing(tmp_path: Path) -> None:
    """Nothing more is read, and nothing is said of it."""
    held = next(row for row in listed("chainlink_aggregators") if row["chain"] == "ethereum")
    path = listed_as(tmp_path, phase(address=held["address"]))

    assert with_phases(PROTOCOLS, (path,), ETHEREUM)["chainlink"] is PROTOCOLS["chainlink"]


def test_one_behind_two_pairs_is_of_the_first_listed(tmp_path: Path) -> None:
    """DAI/USD is listed before ETH/USD, whose address sorts first."""
    path = listed_as(tmp_path, phase(), phase(contract=DAI_USD, phase=4))

    (fresh,) = with_phases(PROTOCOLS, (path,), None)["chainlink"].contracts[
        len(PROTOCOLS["chainlink"].contracts) :
    ]

    assert (fresh.address, fresh.says["asset"]) == (OLD, "DAI")


def test_a_list_changes_its_own_chain_alone_and_is_read_once(tmp_path: Path) -> None:
    """The same list gives the same declaration; on other chains the plain one."""
    path = listed_as(tmp_path, phase())

    here, again = (with_phases(PROTOCOLS, (path,), ETHEREUM)["chainlink"] for _ in range(2))

    assert here is again
    assert with_phases(PROTOCOLS, (path,), ARBITRUM)["chainlink"] is PROTOCOLS["chainlink"]


def test_a_phase_stays_as_it_was_first_told(tmp_path: Path) -> None:
    """Told again at a later block it is not written again; another aggregator is beside it."""
    path = Path(listed_as(tmp_path, phase()))

    assert write_phases(path, [phase(block_number=9)]) == 0
    assert write_phases(path, [phase(address=NEW)]) == 1

    assert read_phases(path) == (phase(), phase(address=NEW))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "cannot be read: No such file .*expected a file that `perpscope phases` writes"),
        ("", "cannot be read: not enough values"),
        (f"{HEADING}\n\0", "cannot be read: line 2 has 1 values, not 6"),
        ("colour,age\nred\n", "its columns are colour, age, not protocol, chain, contract, phase"),
        (f"{HEADING}\nchainlink,ethereum,{ETH_USD},0,{OLD},7\n", "line 2: phase is '0': Input"),
        (f"{HEADING}\nchainlink,ethereum,{ETH_USD},1,0x12,7\n", "line 2: address is '0x12': .*40"),
        (f"{HEADING}\nchainlink,ethereum,{ETH_USD},1\n", "line 2 has 4 values, not 6"),
        (f"{HEADING}\nchainlink,ethereum,{ETH_USD},1,{OLD},7,8\n", "line 2 has 7 values"),
        (f"{HEADING}\nchainlynk,ethereum,{ETH_USD},1,{OLD},7\n", "did you mean chainlink"),
        (f"{HEADING}\nchainlink,etherium,{ETH_USD},1,{OLD},7\n", "did you mean ethereum"),
        (f"{HEADING}\nchainlink,arbitrum,{ETH_USD},1,{OLD},7\n", "is no contract of chainlink on"),
        (f"{HEADING}\nmaple,ethereum,{ETH_USD},1,{OLD},7\n", "is no contract of maple on ethereum"),
    ],
)
def test_a_list_that_is_none_stops_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, reason: str
) -> None:
    """Exit code 2 and one sentence with the line, before anything is asked of a node."""
    if text is not None:
        (tmp_path / "list.csv").write_text(text, encoding="utf-8")
    config = settings(tmp_path, "http://127.0.0.1:9", tmp_path / "list.csv")

    code = perpscope("index", "--chain", "ethereum", "--config", config)

    assert code == 2
    assert re.search(reason, capsys.readouterr().err)
    assert not (tmp_path / "a.duckdb").exists()


def settings(folder: Path, url: str, *lists: Path) -> Path:
    """Write settings for one endpoint, with these lists; return their path."""
    path = folder / "perpscope.toml"
    named = ", ".join(f'"{one}"' for one in lists)
    lines = [f'database = "{folder / "a.duckdb"}"', f"phases = [{named}]"]
    lines += [f'[chains.ethereum]\nrpc = ["{url}"]']
    lines += ["[retries]\ntries = 2\nfirst_wait_seconds = 0.01"]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_list_that_is_named_later_is_read_from_the_beginning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database is as if it had always been named, and `protocols` says what was added."""
    late, always = tmp_path / "late", tmp_path / "always"
    late.mkdir()
    always.mkdir()
    path = tmp_path / "list.csv"
    happens = [(FIRST + at, one) for at, one in ((3, OLD), (30, OLD), (30, NEW), (50, NEW))]
    index = ("index", "--chain", "ethereum", "--protocol", "chainlink", "--from", FIRST)
    with serve([chain(behind(ETH_USD, OLD, NEW), *happens)]) as node:
        assert perpscope(*index, "--config", settings(late, node.url)) == 0
        assert stored(late / "a.duckdb", "select count(*) from oracle_updates") == [(0,)]
        assert ask(path, node.url, "--config", str(late / "perpscope.toml")) == 0
        assert perpscope(*index, "--config", settings(late, node.url, path)) == 0
        assert perpscope(*index, "--config", settings(always, node.url, path)) == 0
        capsys.readouterr()
        assert ask(path, node.url, "--config", str(late / "perpscope.toml")) == 0
    assert "name the list" not in capsys.readouterr().out
    assert perpscope("protocols", "chainlink", "--config", late / "perpscope.toml") == 0

    assert "2 more contracts are read" in capsys.readouterr().out
    found = "select block_number, feed, asset, oracle_price_quote::int from oracle_updates"
    assert stored(late / "a.duckdb", f"{found} order by all") == sorted(
        (block, one, "ETH", 2_000) for block, one in happens
    )
    assert contents(late / "a.duckdb") == contents(always / "a.duckdb")
