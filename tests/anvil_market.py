"""
A market on a real node, and its books.

Contracts of ours (tests/contracts) stand at the addresses that the shipped declarations of GMX v1
and Chainlink name on Arbitrum. Every transaction is written down here when it is sent, with the
facts its logs must become: an answer that owes nothing to the indexer.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Context, Decimal
from functools import cache
from pathlib import Path
from random import Random

import duckdb
from anvil_node import Anvil, anvil
from eth_abi.abi import encode
from loopback import header
from vyper.compiler import compile_code

from indexer.chains import ARBITRUM
from indexer.protocols import PROTOCOLS
from indexer.tables import fact_tables

CONTRACTS = Path(__file__).parent / "contracts"
GENESIS = 25_000_000  # of Nitro: receipts of older blocks of Arbitrum prove nothing
START_TIME = 1_700_000_000
BLOCK_SECONDS = 3
FINAL_BLOCKS = 8  # anvil calls what is two epochs old final, and these have four blocks
USD = 10**30

VAULT = next(
    contract.address.lower()
    for contract in PROTOCOLS["gmx_v1"].contracts
    if (contract.abi, contract.chain) == ("gmx_v1/Vault", ARBITRUM)
)
FEEDS = [
    contract
    for contract in PROTOCOLS["chainlink"].contracts
    if contract.chain == ARBITRUM and contract.says.get("decimals") == 8
][:2]
UNDECLARED_FEED = "0x" + "fe" * 20
INDEX_TOKENS = [t.address.lower() for t in PROTOCOLS["gmx_v1"].tokens if t.chain == ARBITRUM][:3]
COIN = "0x" + "c0" * 20  # no declaration knows it: decimals and symbol must be asked for
COIN_DECIMALS = 6

COLUMNS = {
    "position_changes": (
        *("market", "account", "position_id", "cause", "is_long", "collateral_token"),
        *("notional_delta_usd", "collateral_delta_usd", "execution_price_usd"),
        *("realized_pnl_usd", "notional_usd"),
    ),
    "liquidations": (
        *("market", "account", "position_id", "is_long", "collateral_token", "notional_usd"),
        *("collateral_usd", "mark_price_usd", "fee_usd"),
    ),
    "open_interest": ("market", "is_long", "open_interest_delta_usd"),
    "fees": (
        *("market", "account", "fee_kind", "fee_token", "fee_tokens", "fee_usd"),
        *("supply_side_usd", "treasury_usd", "holders_usd"),
    ),
    "oracle_updates": ("feed", "asset", "quote", "oracle_price_quote", "observed_at", "round_id"),
}
PLACE = ("block_number", "log_index", "tx_hash", "block_timestamp")

Facts = dict[str, list[tuple[object, ...]]]
Fact = tuple[str, int, Mapping[str, object]]


@dataclass(frozen=True)
class Act:
    """
    A transaction, and what must come of it.

    Attributes:
        to: the contract.
        call: what it is told.
        logs: how many logs it emits.
        facts: table, which of the logs, columns; of each fact.
    """

    to: str
    call: bytes
    logs: int
    facts: tuple[Fact, ...]


@cache
def compiled(name: str) -> tuple[str, dict[str, str]]:
    """Return a contract's code, and the selectors of its functions by name."""
    source = (CONTRACTS / f"{name}.vy").read_text(encoding="utf-8")
    made = compile_code(source, output_formats=["bytecode_runtime", "method_identifiers"])
    selectors = {
        signature.partition("(")[0]: number[2:].zfill(8)
        for signature, number in made["method_identifiers"].items()
    }
    return made["bytecode_runtime"], selectors


def call(contract: str, function: str, types: Sequence[str], values: Sequence[object]) -> bytes:
    """Return the call data of a function."""
    return bytes.fromhex(compiled(contract)[1][function]) + encode(types, values)


def scaled(value: int, decimals: int) -> Decimal:
    """Return an integer as an amount with 18 decimals, cut toward zero."""
    size = abs(value) * 10**18 // 10**decimals
    return Decimal(-size if value < 0 else size).scaleb(-18, Context(prec=100))


def moment(seconds: int) -> datetime:
    """Return unix seconds as the database keeps them."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Position:
    """What one call to the Vault says, in the Vault's own units."""

    key: bytes
    account: str
    market: str
    is_long: bool
    collateral: int
    size: int
    price: int
    fee_usd: int
    fee_tokens: int

    def encoded(self) -> tuple[object, ...]:
        """Return the struct that Vault.vy takes."""
        names = (self.key, self.account, COIN, self.market, self.is_long)
        return (*names, self.collateral, self.size, self.price, self.fee_usd, self.fee_tokens)

    def change(self, cause: str, sign: int, **more: object) -> dict[str, object]:
        """Return a row of position_changes."""
        return {
            **self._named(),
            "cause": cause,
            "notional_delta_usd": scaled(sign * self.size, 30),
            "execution_price_usd": scaled(self.price, 30),
            **more,
        }

    def interest(self, sign: int) -> dict[str, object]:
        """Return a row of open_interest."""
        delta = scaled(sign * self.size, 30)
        return {"market": self.market, "is_long": self.is_long, "open_interest_delta_usd": delta}

    def fee(self) -> dict[str, object]:
        """Return a row of fees: 70 % to the pool, the rest to holders."""
        paid, supplied = scaled(self.fee_usd, 30), scaled(self.fee_usd * 7, 31)
        return {
            "market": self.market,
            "account": self.account,
            "fee_kind": "margin",
            "fee_token": COIN,
            "fee_tokens": scaled(self.fee_tokens, COIN_DECIMALS),
            "fee_usd": paid,
            "supply_side_usd": supplied,
            "treasury_usd": Decimal(0),
            "holders_usd": paid - supplied,
        }

    def liquidation(self) -> dict[str, object]:
        """Return a row of liquidations."""
        return {
            **self._named(),
            "notional_usd": scaled(self.size, 30),
            "collateral_usd": scaled(self.collateral, 30),
            "mark_price_usd": scaled(self.price, 30),
            "fee_usd": scaled(self.fee_usd, 30),
        }

    def _named(self) -> dict[str, object]:
        return {
            "market": self.market,
            "account": self.account,
            "position_id": f"0x{self.key.hex()}",
            "is_long": self.is_long,
            "collateral_token": COIN,
        }


POSITION = "(bytes32,address,address,address,bool,uint256,uint256,uint256,uint256,uint256)"


def position(dice: Random) -> Position:
    """Return any position, its amounts down to the last of 30 decimals."""
    return Position(
        key=dice.randbytes(32),
        account=f"0x{dice.randbytes(20).hex()}",
        market=dice.choice(INDEX_TOKENS),
        is_long=dice.random() < 0.5,
        collateral=dice.randrange(10**6 * USD),
        size=dice.randrange(1, 10**9 * USD),  # above 170.1 million dollars is above 128 bits
        price=dice.randrange(1, 10**5 * USD),
        fee_usd=dice.randrange(1, 10**5 * USD),
        fee_tokens=dice.randrange(1, 10**12),
    )


def increase(dice: Random) -> Act:
    """Return an increase: a transfer, the fee, the change."""
    p = position(dice)
    margin = {"collateral_delta_usd": scaled(p.collateral - p.fee_usd, 30)}
    facts: tuple[Fact, ...] = (
        ("fees", 1, p.fee()),
        ("position_changes", 2, p.change("trade", 1, **margin)),
        ("open_interest", 2, p.interest(1)),
    )
    return Act(VAULT, call("Vault", "increase", [POSITION], [p.encoded()]), 3, facts)


def decrease(dice: Random) -> Act:
    """Return a decrease: the fee, profit or loss, the change, a transfer."""
    p, gained, delta = position(dice), dice.random() < 0.5, dice.randrange(10**6 * USD)
    result = {"realized_pnl_usd": scaled(delta if gained else -delta, 30)}
    facts: tuple[Fact, ...] = (
        ("fees", 0, p.fee()),
        ("position_changes", 2, p.change("trade", -1, **result)),
        ("open_interest", 2, p.interest(-1)),
    )
    types = [POSITION, "bool", "uint256"]
    return Act(VAULT, call("Vault", "decrease", types, [p.encoded(), gained, delta]), 4, facts)


def liquidation(dice: Random) -> Act:
    """Return a liquidation: the fee, the liquidation, a transfer."""
    p = position(dice)
    left = {"collateral_delta_usd": scaled(-p.collateral, 30), "notional_usd": Decimal(0)}
    facts: tuple[Fact, ...] = (
        ("fees", 0, p.fee()),
        ("position_changes", 1, p.change("liquidation", -1, **left)),
        ("liquidations", 1, p.liquidation()),
        ("open_interest", 1, p.interest(-1)),
    )
    values = [p.encoded(), dice.randrange(2**256), dice.randrange(-(2**255), 2**255)]
    types = [POSITION, "uint256", "int256"]
    return Act(VAULT, call("Vault", "liquidate", types, values), 3, facts)


def answer(dice: Random) -> Act:
    """Return an answer of a declared price feed; prices below zero have been seen."""
    feed, price = dice.choice(FEEDS), dice.randrange(-(10**12), 10**15)
    turn, seen = dice.getrandbits(80), dice.randrange(START_TIME)
    row = {
        "feed": feed.address.lower(),
        "asset": feed.says["asset"],
        "quote": feed.says["quote"],
        "oracle_price_quote": scaled(price, 8),
        "observed_at": moment(seen),
        "round_id": str(turn),
    }
    return _post(feed.address, (price, turn, seen), (("oracle_updates", 0, row),))


def noise(dice: Random) -> Act:
    """Return an answer of a contract that nobody declares: the same topic, and no fact."""
    return _post(UNDECLARED_FEED, (dice.randrange(10**12), 1, START_TIME), ())


def _post(feed: str, values: Sequence[int], facts: tuple[Fact, ...]) -> Act:
    return Act(feed, call("Feed", "post", ["int256", "uint256", "uint256"], values), 1, facts)


def some_acts(dice: Random) -> list[Act]:
    """Return what happens in a block: nothing in every fifth, else one to five transactions."""
    kinds = (increase, decrease, liquidation, answer, noise)
    count = 0 if dice.random() < 0.2 else dice.randint(1, 5)
    return [dice.choice(kinds)(dice) for _ in range(count)]


class Market:
    """
    The market on a node, and its books.

    Args:
        node: where it lives; its blocks are mined here and nowhere else.
    """

    def __init__(self, node: Anvil) -> None:
        self.node = node
        self._books: dict[int, list[tuple[str, tuple[object, ...]]]] = {}
        self._sender = node.ask("eth_accounts")[0]
        places = {VAULT: "Vault", COIN: "Token", UNDECLARED_FEED: "Feed"}
        for address, name in {**places, **{feed.address: "Feed" for feed in FEEDS}}.items():
            node.ask("anvil_setCode", address, compiled(name)[0])
        # Until then `finalized` would be a block before the first, which this node has not got.
        self.mine([[]] * FINAL_BLOCKS)

    @property
    def head(self) -> int:
        """Return the number of the newest block."""
        return int(self.node.ask("eth_blockNumber"), 16)

    def mine(self, blocks: Sequence[Sequence[Act]]) -> None:
        """Mine a block for each list of acts."""
        for acts in blocks:
            for act in acts:
                self.node.ask("eth_sendTransaction", self._transaction(act))
            number = self.head + 1
            stamp = START_TIME + BLOCK_SECONDS * (number - GENESIS)
            self.node.ask("evm_mine", stamp)
            self._write_down(number, acts)

    def mine_some(self, dice: Random, count: int) -> None:
        """Mine blocks in which something or nothing happens."""
        self.mine([some_acts(dice) for _ in range(count)])

    def reorganise(self, blocks: Sequence[Sequence[Act]]) -> None:
        """Replace as many blocks at the head by others."""
        pairs = [
            [self._transaction(act), place] for place, acts in enumerate(blocks) for act in acts
        ]
        first = self.head - len(blocks) + 1
        self.node.ask("anvil_reorg", len(blocks), pairs)
        for number, acts in enumerate(blocks, first):
            self._write_down(number, acts)

    def revert(self, snapshot: str) -> None:
        """Go back to a snapshot: later blocks are gone."""
        assert self.node.ask("evm_revert", snapshot) is True
        head = self.head
        self._books = {number: rows for number, rows in self._books.items() if number <= head}

    def facts(self) -> Facts:
        """Return the rows that every fact table must hold, sorted."""
        found: Facts = {name: [] for name in fact_tables()}
        for rows in self._books.values():
            for table, row in rows:
                found[table].append(row)
        return {name: sorted(rows, key=str) for name, rows in found.items()}

    def _transaction(self, act: Act) -> dict[str, str]:
        data = f"0x{act.call.hex()}"
        return {"from": self._sender, "to": act.to, "gas": hex(300_000), "data": data}

    def _write_down(self, number: int, acts: Sequence[Act]) -> None:
        block = header(self.node.url, hex(number))
        stamp = moment(int(block["timestamp"], 16))
        rows, first = [], 0
        for act, tx_hash in zip(acts, block["transactions"], strict=True):
            for table, place, columns in act.facts:
                where = (number, first + place, tx_hash, stamp)
                told = tuple(columns.get(name) for name in COLUMNS[table])
                rows.append((table, (*where, *told)))
            first += act.logs
        self._books[number] = rows


@contextmanager
def market(folder: Path) -> Iterator[Market]:
    """Run a node with an empty market while the block runs."""
    options = {
        "--chain-id": ARBITRUM.chain_id,
        "--number": GENESIS,
        "--timestamp": START_TIME,
        "--slots-in-an-epoch": FINAL_BLOCKS // 2,
        "--order": "fifo",
    }
    words = [str(word) for option in options.items() for word in option]
    with anvil(folder, "--no-mining", *words) as node:
        yield Market(node)


def stored_facts(path: Path) -> Facts:
    """Return the rows of every fact table of a database, sorted; the columns the books know."""
    found: Facts = defaultdict(list)
    with duckdb.connect(path, read_only=True) as connection:
        for table in fact_tables():
            names = ", ".join((*PLACE, *COLUMNS.get(table, ())))
            rows = connection.execute(f"select {names} from {table}").fetchall()
            found[table] = sorted(rows, key=str)
    return dict(found)
