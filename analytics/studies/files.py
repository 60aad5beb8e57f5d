"""
The files of published rows a study reads, each with the columns it must have.

Amounts that are added up are read as decimals with nine places: the files keep them as floats,
whose sum depends on the order of rows. What is only divided stays a float.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import polars as pl

from analytics.errors import WorldError

_AMOUNT = pl.Decimal(38, 9)
_NUMBER = pl.Float64()
_COUNT = pl.Int64()
_TEXT = pl.String()
_TIME = pl.Datetime("us")


class Unusable(WorldError):
    """A file of rows is missing, cannot be read, or is not what its name says."""


@dataclass(frozen=True)
class File:
    """
    A file of published rows.

    Attributes:
        path: where it is in the folder of data.
        columns: the columns that are read, and what they are read as.
    """

    path: str
    columns: Mapping[str, pl.DataType]


_HORIZON = "hyperliquid/adl_waves_mit/eval_horizon_sweep/gap_ms=5000/horizon_ms={}/{}.csv"
_BY_WAVE = {
    "wave": _COUNT,
    "budget_needed_usd": _AMOUNT,
    "budget_prod_usd": _AMOUNT,
    "overshoot_prod_minus_needed_usd": _AMOUNT,
}

FILES: Mapping[str, File] = MappingProxyType(
    {
        "adl_coins": File(
            "hyperliquid/adl_by_coin_REALTIME.csv.gz",
            {
                "coin": _TEXT,
                "adl_notional": _AMOUNT,
                "closed_pnl": _AMOUNT,
                "pnl_percent": _AMOUNT,
                "is_negative_equity": _COUNT,
                "num_events": _COUNT,
            },
        ),
        "adl_accounts": File(
            "hyperliquid/adl_by_user_REALTIME.csv.gz",
            {
                "user": _TEXT,
                "adl_notional": _AMOUNT,
                "closed_pnl": _AMOUNT,
                "pnl_percent": _AMOUNT,
                "is_negative_equity": pl.Boolean(),
                "num_adl_events": _COUNT,
            },
        ),
        "adl_seconds": File(
            "hyperliquid/hl_20251010_adl_buckets.parquet",
            {"time": _COUNT, "notionalInBucket": _AMOUNT, "eventCount": _COUNT},
        ),
        "adl_coin_seconds": File(
            "hyperliquid/hl_20251010_adl_bucket_by_coin.parquet",
            {"time_ms": _COUNT, "coin": _TEXT, "adl_notional_usd": _AMOUNT},
        ),
        "tickers": File(
            "hyperliquid/hl_20251010_by_ticker.parquet",
            {
                "ticker": _TEXT,
                "liq_notional": _AMOUNT,
                "adl_notional": _AMOUNT,
                "total_notional": _AMOUNT,
                "liq_events": _COUNT,
                "adl_events": _COUNT,
                "total_events": _COUNT,
            },
        ),
        "timeline": File(
            "hyperliquid/hl_20251010_timeline_seconds.parquet",
            {"ts": _TIME, "liq_rows": _COUNT, "adl_fills": _COUNT},
        ),
        "node_fills": File(
            "hyperliquid/hl_node_fills_20251027_sample.parquet",
            {"coin": _TEXT, "tid": _COUNT, "liq_user": _TEXT},
        ),
        "outliers": File(
            "hyperliquid/high_leverage_outliers_analysis.csv.gz",
            {
                "position_size": _NUMBER,
                "adl_price": _NUMBER,
                "account_value_realtime": _NUMBER,
                "total_equity": _NUMBER,
                "leverage_realtime": _NUMBER,
                "position_unrealized_pnl": _NUMBER,
                "pnl_percent": _NUMBER,
            },
        ),
        "deficit_waves": File(
            "hyperliquid/adl_waves_mit/bad_debt_loser_waves.csv",
            {
                "wave": _COUNT,
                "t_start_ms": _COUNT,
                "t_end_ms": _COUNT,
                "n_rows": _COUNT,
                "deficit_usd": _AMOUNT,
                "max_loss_usd": _AMOUNT,
            },
        ),
        "price_gaps": File(
            _HORIZON.format(0, "two_pass_wave_coin_gap_per_contract"),
            {"wave": _COUNT, "coin": _TEXT, "gap_usd_x_qty": _AMOUNT},
        ),
        **{
            f"horizon_{ms}": File(_HORIZON.format(ms, "two_pass_equity_delta_by_wave"), _BY_WAVE)
            for ms in (0, 500, 1000, 2000, 5000)
        },
        "queue_clusters": File(
            "hyperliquid/adl_waves_mit/per_shock_metrics_queue.csv",
            {"deficit_usd": _AMOUNT, "overshoot_queue_usd": _AMOUNT},
        ),
        "policy_waves": File(
            "hyperliquid/adl_waves_mit/policy_per_wave_metrics.csv",
            {
                "wave": _COUNT,
                "overshoot_contract_pr": _AMOUNT,
                "overshoot_fixed_point_ilp_integer": _AMOUNT,
            },
        ),
        "reactions": File(
            "hyperliquid/adl_waves_mit/two_time/per_user_reaction_metrics.csv",
            {
                "user": _TEXT,
                "n_adl_events": _COUNT,
                "share_any_nonadl_fill_60000ms": _NUMBER,
                "mean_undo_frac_60000ms": _NUMBER,
                "share_any_nonadl_fill_300000ms": _NUMBER,
            },
        ),
        "usde_minutes": File(
            "oracles/usde_binance_1m.parquet",
            {"ts": _TIME, "open": _NUMBER, "low": _NUMBER, "close": _NUMBER},
        ),
        "usde_blocks": File(
            "oracles/usde_uniswap_v3_per_block.parquet",
            {"timestamp": _COUNT, "liquidity": _NUMBER, "token1Price": _NUMBER},
        ),
        "declared_days": File(
            "buybacks/defillama_daily_fees_revenue_holders.parquet",
            {
                "protocol": _TEXT,
                "date": pl.Date(),
                "fees_usd": _COUNT,
                "revenue_usd": _COUNT,
                "holders_revenue_usd": _COUNT,
            },
        ),
        "hype_days": File(
            "buybacks/hype_buybacks_daily.parquet",
            {
                "date": pl.Date(),
                "usd": _COUNT,
                "hype": _AMOUNT,
                "avg_price": _NUMBER,
                "data_type": _TEXT,
            },
        ),
        "aster_transfers": File(
            "buybacks/aster_buyback_transfers_bsc.parquet",
            {
                "stage": _COUNT,
                "block_timestamp": _TIME,
                "transaction_hash": _TEXT,
                "log_index": _COUNT,
                "value": _AMOUNT,
            },
        ),
        "open_interest_days": File(
            "hyperliquid/oi_daily_coinalyze.parquet",
            {"symbol": _TEXT, "date": pl.Date(), "oi_open": _AMOUNT, "oi_close": _AMOUNT},
        ),
        "funding_days": File(
            "hyperliquid/funding_daily_coinalyze.parquet",
            {"symbol": _TEXT, "date": pl.Date(), "funding_rate": _NUMBER},
        ),
    }
)


def read(folder: Path, file: File) -> pl.DataFrame:
    """
    Return the columns of a file of rows, of the types a study needs.

    Raises:
        Unusable: the file is missing, cannot be read, lacks a column, has no rows, or has values
            of another kind in it; the message names which.
    """
    path = folder / file.path
    if not path.is_file():
        raise Unusable(f"{file.path} is not there")
    try:
        found = pl.read_parquet(path) if path.suffix == ".parquet" else _csv(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise Unusable(f"{file.path} cannot be read: {_first_line(error)}") from error
    lacking = [name for name in file.columns if name not in found.columns]
    if lacking:
        raise Unusable(f"{file.path} lacks {', '.join(lacking)}")
    if found.is_empty():
        raise Unusable(f"{file.path} has no rows")
    try:
        return found.select(_read_as(found, name, dtype) for name, dtype in file.columns.items())
    except pl.exceptions.PolarsError as error:
        raise Unusable(
            f"{file.path} has other values than it should: {_first_line(error)}"
        ) from error


def _csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(path, infer_schema_length=None)


def _read_as(found: pl.DataFrame, name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    match found.schema[name], dtype:
        case pl.String(), pl.Date():
            return column.str.to_date()
        case pl.Datetime(time_zone=str()), _:  # a moment; ours are UTC and say no zone
            utc = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
            return utc.cast(dtype)
        case _:
            return column.cast(dtype)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
