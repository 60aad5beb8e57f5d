"""
Real-world credit on Ethereum: a Maple pool that keeps paying through the crash.

The pool and its manager of open-term loans are announced by their factories inside the simulated
days, so that a reader of the chain has to discover them.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from indexer.chains import ETHEREUM
from indexer.protocols import PROTOCOLS
from indexer.simulation.encoding import plain, tail, topic, word, words
from indexer.simulation.ledger import Cell, Draft, Entry, exact, less, text
from indexer.simulation.scenarios import THREE_DAYS, Scenario
from indexer.simulation.shares import Shares
from indexer.simulation.transactions import Log

POOL_SYMBOL = "syrupUSDC"
MANAGER = bytes.fromhex("6ACEb4cAbA81Fa6a8065059f3A944fb066A10fAc")
_POOL_MANAGER = bytes.fromhex("7aD5fFa5fdF509E30186F4609c2f6269f4B6158F")
_QUEUE = bytes.fromhex("1bc47a0Dd0FdaB96E9eF982fdf1F34DC6207cfE3")
_OPERATOR = bytes.fromhex("51d000000000000000000000000000000000f0a1")
_LOANS = 7
_PAID_EVERY_HOURS = 6
_YEAR = 365 * 86_400
_INTEREST_BPS, _PLATFORM_BPS, _DELEGATE_BPS, _SERVICE_BPS = 1_120, 800, 400, 66
_SHARE_PRICE_PPM = 1_137_400
_FLOW_PERCENT = 8
_CLAIMED = "ClaimedFundsDistributed(address,uint256,uint256,uint256,uint256,uint256,uint256)"


@dataclass(frozen=True)
class Loan:
    """
    An open-term loan.

    Attributes:
        address: 20 bytes.
        borrower: 20 bytes.
        principal: in the pool's asset, smallest units.
        born_at: seconds.
    """

    address: bytes
    borrower: bytes
    principal: int
    born_at: int


@dataclass
class Pool:
    """
    The pool, its loans and its lenders.

    Attributes:
        random: decides.
        scenario: how fast it lives, and when the crash is.
        loans: in the order they will be made.
        shares: what the lenders own.
        is_born: whether the pool is deployed.
    """

    random: Random
    scenario: Scenario = THREE_DAYS
    loans: list[Loan] = field(default_factory=list)
    is_born: bool = False

    def __post_init__(self) -> None:
        """Find what is declared, and plan the loans."""
        self._hour = self.scenario.credit_hour_seconds
        self._paid_every = _PAID_EVERY_HOURS * self._hour
        self._pool, self._asset, self._decimals = _pool()
        self.shares = Shares(self._pool, self._asset, self._decimals)
        self._loan_factory = _factory("maple/OpenTermLoan")
        self._manager_factory = _factory("maple/OpenTermLoanManager")
        self._lenders = [self.random.randbytes(20) for _ in range(25)]
        self.loans = [self._planned(number) for number in range(_LOANS)]

    def _planned(self, number: int) -> Loan:
        principal = self.random.randrange(2_000_000, 24_000_000) * 10**self._decimals
        born_at = self.scenario.start + (2 + 3 * number) * self._hour
        return Loan(self.random.randbytes(20), self.random.randbytes(20), principal, born_at)

    def acts(self, time: int) -> Iterator[Draft]:
        """Yield the transactions of one block."""
        if time == self.scenario.start + self._hour:
            yield self._deployed()
        for loan in self.loans:
            age = time - loan.born_at
            if age == 0:
                yield self._announced(loan)
            elif age == self._hour:
                yield self._funded(loan)
            elif age > self._hour and (age - self._hour) % self._paid_every == 0:
                yield self._paid(loan, time)
        if time == self.scenario.crash + 600:
            yield self._called(self.loans[1], time)
        if time == self.scenario.crash + 1_200:
            yield self._upgraded()
        if time > self.scenario.start + self._hour and self.random.randrange(100) < _FLOW_PERCENT:
            yield self._flow()

    def _deployed(self) -> Draft:
        self.is_born = True
        draft = Draft(_OPERATOR, _deployer())
        announced = plain(
            _deployer(),
            "PoolDeployed(address,address,address,address[])",
            [32, 1, MANAGER],
            [self._pool, _POOL_MANAGER, _QUEUE],
        )
        draft.emit(announced)
        draft.emit(_instance(self._manager_factory, MANAGER))
        return draft

    def _announced(self, loan: Loan) -> Draft:
        draft = Draft(loan.borrower, self._loan_factory)
        draft.emit(
            plain(
                loan.address,
                "Initialized(address,address,address,uint256,uint32[3],uint64[4])",
                [loan.principal, 86_400, 5 * 86_400, 30 * 86_400, 0, _INTEREST_BPS * 100, 0, 0],
                [loan.borrower, MANAGER, self._asset],
            )
        )
        draft.emit(_instance(self._loan_factory, loan.address))
        return draft

    def _funded(self, loan: Loan) -> Draft:
        draft = Draft(_OPERATOR, MANAGER)
        due = loan.born_at + self._paid_every
        draft.emit(
            plain(
                loan.address, "Funded(uint256,uint40,uint40)", [loan.principal, due, due + 86_400]
            ),
            self._event(loan, "funded", counterparty=text(MANAGER), principal=loan.principal),
        )
        return draft

    def _called(self, loan: Loan, time: int) -> Draft:
        draft = Draft(_OPERATOR, MANAGER)
        back = loan.principal // 4
        draft.emit(
            plain(
                loan.address, "PrincipalCalled(uint256,uint40,uint40)", [back, time, time + 86_400]
            ),
            self._event(loan, "call", principal=back),
        )
        return draft

    def _upgraded(self) -> Draft:
        draft = Draft(_OPERATOR, MANAGER)
        told = "InstanceUpgraded(address,uint256,uint256,bytes)"
        topics = (topic(told), word(MANAGER), word(300), word(301))
        cells: dict[str, Cell] = {"contract": text(MANAGER), "release": "301"}
        draft.emit(
            Log(self._manager_factory, topics, words([32]) + tail(b"")),
            Entry("upgrades", "maple", "2", cells),
        )
        return draft

    def _paid(self, loan: Loan, time: int) -> Draft:
        draft = Draft(loan.borrower, loan.address)
        interest = loan.principal * _INTEREST_BPS * self._paid_every // (10_000 * _YEAR)
        late = interest // 50 if self.random.randrange(6) == 0 else 0
        due = time + self._paid_every
        draft.emit(
            plain(
                loan.address,
                "PaymentMade(address,uint256,uint256,uint256,uint256,uint256,uint40,uint40)",
                [0, interest, late, *self._service(loan), due, due + 86_400],
                [MANAGER],
            ),
            self._event(loan, "payment", principal=0, interest=interest + late),
        )
        self._claimed(draft, loan, interest + late)
        return draft

    def _claimed(self, draft: Draft, loan: Loan, interest: int) -> None:
        delegate_service, platform_service = self._service(loan)
        delegate, platform = (interest * bps // 10_000 for bps in (_DELEGATE_BPS, _PLATFORM_BPS))
        self.shares.earned(interest - delegate - platform)
        # The interest is gross, whatever the contract calls it.
        parts = [0, interest, delegate, delegate_service, platform, platform_service]
        service = delegate_service + platform_service
        draft.emit(
            plain(MANAGER, _CLAIMED, parts, [loan.address]),
            self._fee(loan, "interest", interest, platform, item=0),
            self._fee(loan, "service", service, platform_service, item=2),
        )

    def _service(self, loan: Loan) -> tuple[int, int]:
        service = loan.principal * _SERVICE_BPS * self._paid_every // (10_000 * _YEAR)
        return service // 3, service - service // 3

    def _flow(self) -> Draft:
        lender, is_deposit = self.random.choice(self._lenders), self.random.randrange(3) > 0
        assets = self.random.randrange(5_000_000_000, 900_000_000_000)
        shares = assets * 1_000_000 // _SHARE_PRICE_PPM
        sign = 1 if is_deposit else -1
        self.shares.moved(sign * assets, sign * shares)
        draft = Draft(lender, self._pool)
        name = "Deposit" if is_deposit else "Withdraw"
        types = ",".join(["address"] * (2 if is_deposit else 3) + ["uint256"] * 2)
        parties = [lender] * (2 if is_deposit else 3)
        cells: dict[str, Cell] = {
            "kind": "deposit" if is_deposit else "withdrawal",
            "pool": text(self._pool),
            "account": text(lender),
            "asset_token": text(self._asset),
            "asset_tokens": self._whole(assets),
            "share_tokens": self._whole(shares),
        }
        draft.emit(
            plain(self._pool, f"{name}({types})", [assets, shares], parties),
            Entry("pool_flows", "maple", "2", cells),
        )
        return draft

    def _whole(self, amount: int) -> Cell:
        return exact(amount, self._decimals)

    def _event(
        self,
        loan: Loan,
        kind: str,
        *,
        principal: int,
        interest: int | None = None,
        **cells: Cell,
    ) -> Entry:
        row: dict[str, Cell] = {
            "kind": kind,
            "pool": text(MANAGER),
            "loan": text(loan.address),
            "account": text(loan.borrower),
            "asset_token": text(self._asset),
            "principal_tokens": self._whole(principal),
            "interest_tokens": None if interest is None else self._whole(interest),
        }
        return Entry("credit_events", "maple", "2", row | cells)

    def _fee(self, loan: Loan, kind: str, fee: int, platform: int, item: int) -> Entry:
        whole, treasury = (exact(amount, self._decimals) for amount in (fee, platform))
        cells: dict[str, Cell] = {
            "market": text(loan.address),
            "fee_kind": kind,
            "fee_token": text(self._asset),
            "fee_tokens": whole,
            "fee_usd": whole,
            "supply_side_usd": less(whole, treasury),
            "treasury_usd": treasury,
            "holders_usd": exact(0, 0),
            "split_basis": "event",
        }
        # A dollar stablecoin at par is an assumption, and says so.
        return Entry("fees", "maple", "2", cells, item, evidence="assumed")


def _instance(factory: bytes, instance: bytes) -> Log:
    signature = "InstanceDeployed(uint256,address,bytes)"
    arguments = words([32]) + tail(instance)
    return Log(factory, (topic(signature), word(300), word(instance)), arguments)


def _pool() -> tuple[bytes, bytes, int]:
    declared = PROTOCOLS["maple"]
    market = next(
        one for one in declared.markets if (one.chain, one.symbol) == (ETHEREUM, POOL_SYMBOL)
    )
    token = next(one for one in declared.tokens if one.address == market.index_token)
    return bytes.fromhex(market.market[2:]), bytes.fromhex(token.address[2:]), token.decimals


def _factory(child_abi: str) -> bytes:
    found = [
        one.address
        for one in PROTOCOLS["maple"].contracts
        if one.chain == ETHEREUM and one.says.get("child_abi") == child_abi
    ]
    return bytes.fromhex(found[0][2:])


def _deployer() -> bytes:
    found = [
        one.address
        for one in PROTOCOLS["maple"].contracts
        if one.chain == ETHEREUM and one.abi == "maple/PoolDeployer"
    ]
    return bytes.fromhex(found[-1][2:])
