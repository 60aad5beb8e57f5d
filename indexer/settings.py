"""
What may be set: the sections of the configuration, and the kinds of values in them.

`config` reads them from the file and the environment.
"""

from contextlib import suppress
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    StrictStr,
    model_validator,
)

from indexer.schedules import seconds_of, trigger


def _listed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def moment(value: Any) -> datetime:
    """
    Return a date or a moment as UTC without a zone; a date is its first instant.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, str):
        value = _read_moment(value)
    if isinstance(value, datetime):
        # In UTC it may be beyond the years that a date can have.
        with suppress(OverflowError):
            return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    elif isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    raise ValueError("a date such as 2025-10-10, or a moment such as 2025-10-10T06:00")


def _read_moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


Moment = Annotated[datetime, BeforeValidator(moment)]


def _schedule(text: str) -> str:
    trigger(text)
    return text


def _duration(text: str) -> str:
    if seconds_of(text) is None:
        raise ValueError("a length of time such as 30s, 5m, 2h or 1d")
    return text


def _address(text: str) -> str:
    # Seven packages come with it, and few configurations name an address.
    from eth_utils.address import is_checksum_address, is_hex_address

    digits = text.removeprefix("0x")
    is_mixed = digits not in (digits.lower(), digits.upper())
    if not (text.startswith("0x") and is_hex_address(text)):
        raise ValueError("an address: 0x and 40 hex digits")
    if is_mixed and not is_checksum_address(text):
        raise ValueError("an address whose checksum fits (EIP-55), or lower case")
    return text.lower()


def _place(text: str) -> str:
    if not text or "\0" in text:
        raise ValueError("a path")
    return text


Texts = Annotated[tuple[StrictStr, ...], BeforeValidator(_listed)]
Place = Annotated[StrictStr, AfterValidator(_place)]
Places = Annotated[tuple[Place, ...], BeforeValidator(_listed)]
Count = Annotated[int, Strict(), Field(ge=1)]
Decimals = Annotated[int, Strict(), Field(ge=0, le=77)]
BlockNumber = Annotated[int, Strict(), Field(ge=0)]
Seconds = Annotated[float, Strict(), Field(gt=0, le=3_600)]
Pace = Annotated[float, Strict(), Field(ge=0.001)]  # below it a run waits for hours, in silence
Ratio = Annotated[float, Strict(), Field(ge=0, le=1)]
Port = Annotated[int, Strict(), Field(ge=0, le=65_535)]
Address = Annotated[StrictStr, AfterValidator(_address)]
Text = Annotated[StrictStr, Field(min_length=1)]
Schedule = Annotated[StrictStr, AfterValidator(_schedule)]
Duration = Annotated[StrictStr, AfterValidator(_duration)]


MOST_LOGS = 25_000
"""To aim at in one answer, where nothing else is said."""

MOST_ADDRESSES = 1_000
"""That one request names, where nothing else is said."""

MOST_RANGES = 8
"""Under way at once, where nothing else is said."""


class ProofLevel(StrEnum):
    """How far `index` proves that no log is missing."""

    FETCHED = "fetched"
    BLOOM = "bloom"
    RECEIPTS = "receipts"


class ChainSettings(BaseModel):
    """
    One chain's settings, under `[chains.<slug>]`.

    Attributes:
        rpc: endpoint URLs in order of preference, http, https, ws or wss, `${NAME}` not yet filled
            in.
        protocols: slugs to index on this chain; empty for those of all chains.
        from_block: first block to index; None for each contract's own first block.
        from_date: a date or a moment (UTC) to index from, instead of a block.
        max_span: most blocks in one request; None to find out.
        max_logs: most logs in one range, which bounds memory.
        max_addresses: most contracts named in one request; beyond, logs are asked for by event.
        max_ranges: most ranges under way at once below finality.
        proof: how far to prove that no log is missing: fetched, bloom or receipts.
        requests_per_second: most JSON-RPC calls sent to one endpoint a second; None to find out.
        concurrency: how many requests are under way at one endpoint.
        hedge_ratio: how many slow requests, for each one sent, may go to a second endpoint as
            well; 0 for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rpc: Texts = Field(default=(), repr=False)  # may hold keys
    protocols: Texts = ()
    from_block: BlockNumber | None = None
    from_date: Moment | None = None
    max_span: Count | None = None
    max_logs: Count = MOST_LOGS
    max_addresses: Count = MOST_ADDRESSES
    max_ranges: Count = MOST_RANGES
    proof: ProofLevel = ProofLevel.FETCHED
    requests_per_second: Pace | None = None
    concurrency: Count = 8
    hedge_ratio: Ratio = 0.1

    @model_validator(mode="after")
    def _one_beginning(self) -> Self:
        if self.from_block is not None and self.from_date is not None:
            raise ValueError("from_block or from_date, not both")
        return self


class Retries(BaseModel):
    """
    Patience with endpoints, under `[retries]`.

    Attributes:
        tries: how often one request is sent to one endpoint.
        first_wait_seconds: pause after the first failure; doubles, with jitter.
        longest_wait_seconds: the longest pause.
        timeout_seconds: how long one answer may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tries: Count = 5
    first_wait_seconds: Seconds = 0.5
    longest_wait_seconds: Seconds = 60
    timeout_seconds: Seconds = 60


class Wallet(BaseModel):
    """
    A wallet of a buyback programme that no declaration knows, under `[[wallets]]`.

    What it receives of the token counts as bought, on the user's word.

    Attributes:
        protocol: slug of the protocol whose programme it is.
        chain: slug of the chain.
        address: who receives what was bought.
        source: where it is stated that the wallet is the programme's, in the user's own words.
        token: what is bought; None for the protocol's own, where the declaration knows one.
        symbol, decimals: of a token that the declaration does not know.
        destination: what becomes of the tokens, as `buybacks` says it.
        since_block: first block that counts; None for the protocol's first one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: StrictStr
    chain: StrictStr
    address: Address
    source: Text
    token: Address | None = None
    symbol: Text | None = None
    decimals: Decimals | None = None
    destination: Literal["treasury", "distribution", "zero_burn", "dead_burn", "mixed"] = "treasury"
    since_block: BlockNumber | None = None


class Phase(BaseModel):
    """
    A contract that stood behind a declared one, a line of the lists under `phases`.

    Attributes:
        protocol: slug of the protocol.
        chain: slug of the chain.
        contract: the declared one, which was asked.
        phase: the how-manieth behind it this one was, from 1 on.
        address: this one.
        block_number: at which block the contract said so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    protocol: Text
    chain: Text
    contract: Address
    phase: Annotated[int, Field(ge=1)]
    address: Address
    block_number: Annotated[int, Field(ge=0)]


class Storage(BaseModel):
    """
    What is kept beside the database, under `[storage]`.

    Attributes:
        snapshot: where a consistent copy for readers is published; None for nowhere.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    snapshot: Place | None = None


class Watch(BaseModel):
    """
    What `perpscope watch` does and when, under `[watch]`.

    A schedule is an interval (`30s`, `5m`, `2h`, `1d`) or five fields as in a crontab, in UTC.

    Attributes:
        index: when every configured chain is brought up to date.
        verify: when what is stored is verified; None for never.
        verify_level: how thoroughly: linked, bloom or receipts; or agreed, what every endpoint
            tells.
        verify_sample: how many blocks of each chain, chosen by chance; 0 for all, which also says
            in coverage what is proven.
        report: when a report is written; None for never.
        report_folder: the folder of that report.
        snapshot: when the copy for readers is published; None for after each run of `index`, if
            anything has changed.
        stale_after: how old the newest indexed block may be before `/readyz` says no.
        port: of /metrics, /healthz and /readyz on loopback; 0 for any free one.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    index: Schedule = "1m"
    verify: Schedule | None = None
    verify_level: Literal["linked", "bloom", "receipts", "agreed"] = "bloom"
    verify_sample: BlockNumber = 10_000
    report: Schedule | None = None
    report_folder: Place = "perpscope-report"
    snapshot: Schedule | None = None
    stale_after: Duration = "15m"
    port: Port = 9470
