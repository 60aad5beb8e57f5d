"""Wallets of buyback programmes that the settings name: rows, labels, refusals, commands."""

from pathlib import Path

import pytest
from commands import perpscope
from goldens import NOON, Built, frame, log, rows, usd
from sync_rig import FIRST, contents, served, told
from sync_rig import rows as stored

from indexer.chains import ARBITRUM, BASE, ETHEREUM, Chain
from indexer.config import configuration
from indexer.errors import UserError
from indexer.facts import Facts, declared, facts
from indexer.protocols import PROTOCOLS
from indexer.settings import Wallet
from indexer.simulation.blocks import Log
from indexer.simulation.node import serve
from indexer.sync.declarations import label, reach, stated
from indexer.wallets import declarations

FUND, SECOND, ANYONE = ("0x" + text * 20 for text in ("f1", "f2", "ee"))
SYRUP = "0x643c4e15d7d62ad0abec4a9bd4b001aa3ef52d66"
PENDLE = "0x808507121b80c02388fad14726482e061b8da827"
CAKE = "0x0e09fabb73bd3ade0a17ecc321fd13a19e81ce82"
OTHER = "0x" + "70" * 20
ONE = 10**18
COUNT = 60


def wallet(protocol: str = "maple", chain: str = "ethereum", **more: object) -> Wallet:
    """Return a wallet as the settings name it."""
    said = {"address": FUND, "source": "the forum, post 12", **more}
    return Wallet.model_validate({"protocol": protocol, "chain": chain, **said})


def sent(sender: str, to: str, tokens: int, token: str = SYRUP) -> Built:
    """Return the log of a transfer of whole tokens."""
    return log(
        "erc20/Received", "Transfer", token, **{"from": sender, "to": to}, value=tokens * ONE
    )


def made(*logs: Built, wallets: tuple[Wallet, ...], chain: Chain = ETHEREUM) -> Facts:
    """Return the facts of one transaction under the declaration with these wallets."""
    protocol = declarations(wallets, chain)[wallets[0].protocol]
    table = frame(list(logs), block=900_000_000)
    headers = table.select(number="block_number").unique().with_columns(timestamp=NOON)
    return facts([protocol], chain, table, headers, declared([protocol], chain))


@pytest.mark.parametrize(("slug", "token"), [("maple", SYRUP), ("pendle", PENDLE)])
def test_what_a_wallet_receives_was_bought(slug: str, token: str) -> None:
    """Seven tokens come in and count, assumed; what goes out, or to others, does not."""
    result = made(
        sent(ANYONE, FUND, 7, token),
        sent(FUND, ANYONE, 5, token),
        sent(ANYONE, SECOND, 3, token),
        sent(ANYONE, FUND, 0, token),
        wallets=(wallet(slug),),
    )

    assert rows(result, "buybacks") == [
        {"bought_token": token, "bought_tokens": usd("7"), "destination_kind": "treasury"}
    ]
    assert result.tables["buybacks"]["evidence"].to_list() == ["assumed"]
    assert len(result.rejects) == 0


def test_moving_between_own_wallets_buys_nothing() -> None:
    """Of 7 that arrive, 4 go on to the second wallet: 7 were bought, not 11."""
    both = (wallet(), wallet(address=SECOND, destination="distribution"))

    result = made(
        sent(ANYONE, FUND, 7), sent(FUND, SECOND, 4), sent(ANYONE, SECOND, 1), wallets=both
    )

    assert [
        (row["bought_tokens"], row["destination_kind"]) for row in rows(result, "buybacks")
    ] == [(usd("7"), "treasury"), (usd("1"), "distribution")]


@pytest.mark.parametrize("kind", ["zero_burn", "dead_burn"])
def test_a_wallet_that_burns_burns(kind: str) -> None:
    """What nobody can take from there is burned as well as bought."""
    result = made(sent(ANYONE, FUND, 7), wallets=(wallet(destination=kind),))

    assert rows(result, "buybacks")[0]["burned_tokens"] == usd("7")


def test_what_the_declaration_reads_stays_apart() -> None:
    """CAKE at the dead address is read once, as before; the named wallet's CAKE beside it."""
    dead = "0x000000000000000000000000000000000000dead"
    bsc = next(one.chain for one in PROTOCOLS["pancakeswap"].contracts)
    named = (wallet("pancakeswap", "bsc"),)

    result = made(
        sent(ANYONE, dead, 2, CAKE), sent(ANYONE, FUND, 3, CAKE), wallets=named, chain=bsc
    )

    found = sorted(
        (row["destination_kind"], row["bought_tokens"]) for row in rows(result, "buybacks")
    )
    assert found == [("dead_burn", usd("2")), ("treasury", usd("3"))]


def test_a_wallet_makes_another_declaration_of_its_chain_alone() -> None:
    """Facts with and without it are kept apart where it is, and stay as they are elsewhere."""
    plain, named = PROTOCOLS["maple"], (wallet(),)

    here, there = (declarations(named, chain)["maple"] for chain in (ETHEREUM, BASE))

    assert label(here, ETHEREUM) != label(plain, ETHEREUM)
    assert reach(plain, ETHEREUM) != reach(here, ETHEREUM)
    assert there is plain
    assert declarations(named, ETHEREUM)["gmx_v2"] is PROTOCOLS["gmx_v2"]


def test_another_source_is_no_other_declaration() -> None:
    """Prose decides no row; another destination does, from the same logs."""
    first, sourced, other = (
        declarations((one,), ETHEREUM)["maple"]
        for one in (wallet(), wallet(source="a dashboard"), wallet(destination="mixed"))
    )

    assert label(first, ETHEREUM) == label(sourced, ETHEREUM) != label(other, ETHEREUM)
    assert reach(first, ETHEREUM) == reach(other, ETHEREUM)


def test_the_users_words_are_kept() -> None:
    """The account, what it stands for and the source are rows of their own."""
    maple = declarations((wallet(),), ETHEREUM)["maple"]

    assert stated([maple], ETHEREUM)["accounts"].rows() == [
        (1, "maple", FUND, "buyback wallet, treasury", "the forum, post 12")
    ]
    assert "source: the forum, post 12." in maple.methodology


def test_a_token_nobody_declared_needs_symbol_and_decimals() -> None:
    """With both it counts in its own decimals."""
    named = wallet("gmx_v2", "arbitrum", token=OTHER, symbol="NEW", decimals=6)

    result = made(
        log("erc20/Received", "Transfer", OTHER, **{"from": ANYONE, "to": FUND}, value=2_500_000),
        wallets=(named,),
        chain=ARBITRUM,
    )

    assert rows(result, "buybacks")[0]["bought_tokens"] == usd("2.5")


@pytest.mark.parametrize(
    ("named", "reason"),
    [
        (wallet("mapel"), "no protocol is called 'mapel': did you mean maple"),
        (wallet(chain="etherium"), "no chain is called 'etherium': did you mean ethereum"),
        (wallet("hyperliquid", "hypercore"), "hypercore is no EVM chain"),
        (wallet(chain="base"), "maple has not one token of its own on base: expected token"),
        (
            wallet("maker"),
            "maker has not one token of its own on ethereum: expected token = one of",
        ),
        (wallet(token=OTHER), "does not declare the token 0x7070.* expected its symbol and dec"),
        (wallet(token=OTHER, symbol="X"), "expected its symbol and decimals"),
        (wallet(decimals=6), "maple declares SYRUP with 18 decimals: expected neither"),
        (
            wallet("lido", address="0x3e40d73eb977dc6a537af587d48316fee66e9c8c"),
            "is a reading of lido already",
        ),
    ],
)
def test_a_wallet_that_cannot_be_read_is_refused(named: Wallet, reason: str) -> None:
    """One sentence says which one and why, whichever chain is asked for."""
    with pytest.raises(UserError, match=rf"wallets\.0 in the settings: .*{reason}"):
        declarations((named,), ARBITRUM)


def test_a_wallet_is_named_once() -> None:
    """The second one of the same token is refused; of another token it is another wallet."""
    with pytest.raises(UserError, match=r"wallets\.1 in the settings: 0xf1.* is named twice"):
        declarations((wallet(), wallet(source="again")), None)

    declarations((wallet(), wallet(token=OTHER, symbol="X", decimals=1)), None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('address = "0x12"', "wallets.0.address is '0x12' .* expected an address: 0x and 40 hex"),
        ('address = "0xAbcdefabcdefabcdefabcdefabcdefabcdefabcd"', "whose checksum fits"),
        ('colour = "red"', '"colour" .* is no setting: expected one of protocol, chain, address'),
        ('destination = "pocket"', "wallets.0.destination is 'pocket'"),
        ("since_block = -1", "wallets.0.since_block is -1"),
        ('source = ""', "wallets.0.source is ''"),
        ('chain = ""\n[[wallets]]', "wallets.1.protocol is missing .* expected it; add it"),
    ],
)
def test_a_wallet_that_is_none_is_refused(tmp_path: Path, line: str, reason: str) -> None:
    """Every key is checked when the file is read, and named."""
    said = {"protocol": "maple", "chain": "ethereum", "address": FUND, "source": "s"}
    key = line.partition(" ")[0]
    lines = [f'{name} = "{value}"' for name, value in said.items() if name != key]
    path = tmp_path / "perpscope.toml"
    path.write_text("\n".join(["[[wallets]]", *lines, line]), encoding="utf-8")

    with pytest.raises(UserError, match=reason):
        configuration(path)


# --- commands -------------------------------------------------------------------------------------


def moved(to: str, tokens: int) -> Log:
    """Return a transfer of SYRUP for a served chain."""
    built = sent(ANYONE, to, tokens)
    return Log(bytes.fromhex(SYRUP[2:]), built.topics, built.data)


def settings(folder: Path, url: str, *wallets: str) -> Path:
    """Write settings for one endpoint, with these wallets of Maple; return their path."""
    path = folder / "perpscope.toml"
    lines = [f'database = "{folder / "a.duckdb"}"', f'[chains.ethereum]\nrpc = ["{url}"]']
    lines += ["[retries]\ntries = 2\nfirst_wait_seconds = 0.01"]
    for address in wallets:
        lines += ['[[wallets]]\nprotocol = "maple"\nchain = "ethereum"']
        lines += [f'address = "{address}"\nsource = "our word"\nsince_block = {FIRST}']
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_a_wallet_that_is_added_later_is_read_from_the_beginning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The database is as if it had always been named; status and protocols say whose word it is."""
    happens = {FIRST + n: [moved(FUND, 1), moved(SECOND, 5)] for n in range(0, COUNT, 10)}
    late, always = tmp_path / "late", tmp_path / "always"
    late.mkdir()
    always.mkdir()
    index = ("index", "--chain", "ethereum", "--protocol", "maple", "--from", FIRST)
    with serve([served(told(happens, COUNT))]) as node:
        assert perpscope(*index, "--config", settings(late, node.url)) == 0
        assert stored(late / "a.duckdb", "select count(*) from buybacks") == [(0,)]
        assert perpscope(*index, "--config", settings(late, node.url, FUND)) == 0
        assert perpscope(*index, "--config", settings(always, node.url, FUND)) == 0
    capsys.readouterr()

    assert perpscope("status", "--config", late / "perpscope.toml") == 0
    status = capsys.readouterr().out
    assert perpscope("protocols", "maple", "--config", late / "perpscope.toml") == 0

    assert "source: our word." in capsys.readouterr().out
    (line,) = [line.split() for line in status.splitlines() if FUND in line]
    assert line == ["ethereum", "maple", FUND, "buyback", "wallet,", "treasury", "our", "word"]
    found = stored(late / "a.duckdb", "select count(*), sum(bought_tokens)::int from buybacks")
    assert found == [(COUNT // 10, COUNT // 10)]
    assert contents(late / "a.duckdb") == contents(always / "a.duckdb")


def test_a_wallet_that_cannot_be_read_stops_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2 and one sentence, before anything is asked of a node."""
    path = settings(tmp_path, "http://127.0.0.1:9", FUND, FUND)

    code = perpscope("index", "--chain", "ethereum", "--config", path)

    assert code == 2
    assert "is named twice" in capsys.readouterr().err
    assert not (tmp_path / "a.duckdb").exists()
