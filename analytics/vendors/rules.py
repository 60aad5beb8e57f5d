"""
What vendors publish under the names of our metrics, as data.

A line begins with our number. Each step is one rule of theirs that ours does not follow, with the
number as it is once that rule holds too; the last is theirs. `sums.py` says what a name stands for.
What their rules need and no fact holds is listed as missing, never guessed.
"""

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

import polars as pl

from analytics.vendors.definition import Definition, Line, Missing, Step


def _of(name: str) -> pl.Expr:
    return pl.col(f"{name}_usd")


_LLAMA = "https://github.com/DefiLlama/dimension-adapters/blob/master/"
_GUIDE = f"{_LLAMA}fees/GUIDELINES.md"
_GMX_V1, _GMX_V2 = f"{_LLAMA}fees/gmx.ts", f"{_LLAMA}fees/gmx-v2/index.ts"
_MAPLE = f"{_LLAMA}fees/maple-finance.ts"
_SPELLBOOK = "https://github.com/duneanalytics/spellbook (perpetual.trades)"
_TERMINAL = "https://docs.tokenterminal.com"


def _constant(hundredths: int, protocol: str, source: str) -> Step:
    return Step(
        name=f"{hundredths} % of all fees, for all history",
        reason="a constant stands for the split of each fee, whatever its kind and its day",
        source=source,
        value=_of("fees") * pl.lit(Decimal(hundredths).scaleb(-2), pl.Decimal(38, 18)),
        protocols=(protocol,),
        unknown="fees_unknown",
    )


def _booked_as(name: str) -> Step:
    return Step(
        name="swap fees are booked as margin fees",
        reason="the second query of a union lists its two columns in the other order",
        source=_GMX_V2,
        value=_of(name),
        unknown=f"{name}_unknown",
    )


_DEFILLAMA = Definition(
    slug="defillama",
    version="DefiLlama/dimension-adapters e7346b0e9, 2026-08-22",
    lines=(
        Line("fees", _of("fees")),
        Line(
            "margin_fees",
            _of("trades"),
            unknown="trades_unknown",
            steps=(_booked_as("unpenalised"),),
            protocols=("gmx_v2",),
        ),
        Line(
            "swap_fees",
            _of("swaps"),
            unknown="swaps_unknown",
            steps=(_booked_as("nothing"),),
            protocols=("gmx_v2",),
        ),
        Line(
            "liquidation_fees",
            _of("penalties"),
            unknown="penalties_unknown",
            protocols=("gmx_v2",),
        ),
        Line(
            "supply_side",
            _of("supply_side"),
            unknown="supply_side_unknown",
            steps=(_constant(70, "gmx_v1", _GMX_V1), _constant(63, "gmx_v2", _GMX_V2)),
        ),
        Line(
            "protocol_revenue",
            _of("revenue"),
            unknown="revenue_unknown",
            steps=(_constant(30, "gmx_v1", _GMX_V1), _constant(37, "gmx_v2", _GMX_V2)),
        ),
        Line(
            "treasury_revenue",
            _of("treasury"),
            unknown="treasury_unknown",
            steps=(
                Step(
                    name="less what is income times the rate in force",
                    reason="what a policy declares for holders is not the treasury's, whether it "
                    "is set aside or not",
                    source=_MAPLE,
                    value=_of("kept"),
                ),
                _constant(0, "gmx_v1", _GMX_V1),
                _constant(10, "gmx_v2", _GMX_V2),
            ),
        ),
        Line(
            "holders_revenue",
            _of("holders"),
            unknown="holders_unknown",
            steps=(
                Step(
                    name="income times the rate in force",
                    reason="one rate of revenue that a policy declares stands for the split of "
                    "each fee; a rate of fees is in their split already",
                    source=_GUIDE,
                    value=_of("declared"),
                ),
                _constant(30, "gmx_v1", _GMX_V1),
                _constant(27, "gmx_v2", _GMX_V2),
            ),
        ),
        Line(
            "volume",
            _of("volume"),
            facts=("position_changes",),
            unknown="volume_unknown",
            steps=(
                Step(
                    name="takers only",
                    reason="a trade of a book moves two positions and is counted once",
                    source=f"{_LLAMA}GUIDELINES.md",
                    value=_of("one_sided"),
                    unknown="one_sided_unknown",
                ),
            ),
        ),
    ),
    missing=(
        Missing(
            "fees",
            "of GMX v2, price impact, discounts and what user interfaces take",
            "what pools of price impact give back counts as a swap's fee, and a fee is what it was "
            "before discounts, without an interface's: no fact tells these apart",
            _GMX_V2,
        ),
        Missing(
            "fees",
            "of Hyperliquid, what auctions of spot tokens burn",
            "it counts as fees and as revenue of holders; fills do not tell it, nor that all fees "
            "on Unit's markets are Unit's",
            f"{_LLAMA}fees/hyperliquid-spot.ts",
        ),
        Missing(
            "fees",
            "of all but GMX, Hyperliquid and Maple, what their own adapters do",
            "they were not read: theirs is what the guidelines make of our facts",
            f"{_LLAMA}fees",
        ),
        Missing(
            "protocol_revenue",
            "of Maple, what delegates get, and its desk off chain",
            "both are revenue there, of which holders get their rate; a fact has delegates and "
            "lenders in one",
            _MAPLE,
        ),
        Missing(
            "holders_revenue",
            "bribes and airdrops from outside",
            "they count as value to holders, and no fact table holds them",
            _GUIDE,
        ),
        Missing(
            "open_interest",
            "of now, for GMX v2 and most venues",
            "adapters ask a third party for the current value and keep no history",
            f"{_LLAMA}open-interest",
        ),
    ),
)

_TOKEN_TERMINAL = Definition(
    slug="token-terminal",
    version="docs.tokenterminal.com, as quoted in 2026",
    lines=(
        Line("fees", _of("fees")),
        Line("supply_side", _of("supply_side"), unknown="supply_side_unknown"),
        Line("protocol_revenue", _of("revenue"), unknown="revenue_unknown"),
        *(
            Line(
                f"annual_{metric}",
                of_window,
                unknown=unknown,
                steps=(
                    Step(
                        name="the last 30 days of the window",
                        reason="a rate is told from a month, whatever the window is; unknown "
                        "where fees began less than 30 days before its end",
                        source=_TERMINAL,
                        value=_of(f"month_{name}"),
                        unknown=f"month_{name}_unknown",
                    ),
                    Step(
                        name="times 365 / 30",
                        reason="a month becomes a year, where one is known",
                        source=_TERMINAL,
                        value=_of(f"month_{name}") * 365 / 30,
                        unknown=f"month_{name}_unknown",
                    ),
                ),
                is_of_window=True,
            )
            for metric, name, of_window, unknown in (
                ("fees", "fees", _of("fees"), "fees_unknown"),
                ("revenue", "revenue", _of("revenue"), "revenue_unknown"),
            )
        ),
    ),
    missing=(
        Missing(
            "earnings",
            "revenue less token incentives",
            "no fact table holds what a protocol pays in its own token to those who use it",
            _TERMINAL,
        ),
        Missing(
            "price_to_fees",
            "market value by their own prices and circulating supply",
            "neither is on chain; `price_multiples` has ours",
            _TERMINAL,
        ),
    ),
)


_ABSENT = Step(
    name="not in the table",
    reason="perpetual.trades has GMX of version 1 and no Hyperliquid",
    source=_SPELLBOOK,
    value=_of("nothing"),
    protocols=("gmx_v2", "hyperliquid"),
    unknown="nothing_unknown",
)
_READ = ("gmx_v1", "gmx_v2", "hyperliquid")

_DUNE = Definition(
    slug="dune",
    version="duneanalytics/spellbook, perpetual.trades, as read in 2026-08",
    lines=(
        Line(
            "volume",
            _of("volume"),
            facts=("position_changes",),
            unknown="volume_unknown",
            steps=(_ABSENT,),
            protocols=_READ,
        ),
        Line(
            "fees",
            _of("fees"),
            steps=(
                Step(
                    name="swaps are no perps",
                    reason="only events of positions are rows; a swap's fee is in dex.trades",
                    source=_SPELLBOOK,
                    value=_of("unswapped"),
                    protocols=("gmx_v1",),
                    unknown="unswapped_unknown",
                ),
                Step(
                    name="liquidations are free",
                    reason="their rows have `0 as fee_usd`, though the vault collects the fee",
                    source=_SPELLBOOK,
                    value=_of("unforced"),
                    protocols=("gmx_v1",),
                    unknown="unforced_unknown",
                ),
                _ABSENT,
            ),
            protocols=_READ,
        ),
    ),
    missing=(
        Missing(
            "volume",
            "other venues of the table",
            "their models were not read, so their rules are not here",
            _SPELLBOOK,
        ),
        Missing(
            "fees",
            "closes that pay out no more than their fee are free",
            "DecreasePosition tells a fee taken from what is paid out, none taken from the "
            "collateral that stays, and no fact tells these apart",
            _SPELLBOOK,
        ),
        Missing(
            "fees",
            "what an incremental run never merges",
            "rows that arrive after its window of days are lost, and no fact here tells which",
            _SPELLBOOK,
        ),
    ),
)

DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {each.slug: each for each in (_DEFILLAMA, _TOKEN_TERMINAL, _DUNE)}
)
