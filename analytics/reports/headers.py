"""What stands above a column: words for its name, with its unit."""

_UNITS = {
    "_per_second": "per second",
    "_usd": "USD",
    "_tokens": "tokens",
    "_bps": "bps",
    "_seconds": "s",
    "_ms": "ms",
}
_HEADERS = {
    "tx_hash": "transaction",
    "block_timestamp": "time, UTC",
    "chain_id": "chain",
    "date": "day, UTC",
    "earlier_date": "earlier day, UTC",
    "logs_before_count": "logs before",
    "logs_after_count": "logs since",
    "silent_events_count": "events fallen silent",
    "begun_events_count": "events begun",
    "unpriced_count": "without price",
    "unsplit_count": "split unknown",
    "split_by_event_count": "split by event",
    "split_by_policy_count": "split by policy",
    "under_second_count": "under a second",
    "under_second_share": "share under a second",
    "is_long": "long",
    "adl_count": "ADLs",
    "row_ratio": "share of rows",
    "ordinary_count": "other events",
    "is_covered": "covered",
    "seconds_off": "off for, s",
    "moments_off": "moments",
    "peak_at": "peak in period from, UTC",
    "median_absolute_bps": "median size, bps",
    "insolvent_count": "with bad debt",
    "example_tx_hash": "example transaction",
    "take_rate": "take rate",
    "bucket_at": "period from, UTC",
    "valid_from": "in force from, UTC",
    "valid_to": "in force until, UTC",
    "velocity_usd_per_second": "velocity, USD per second",
    "acceleration_usd_per_second_squared": "acceleration, USD per second squared",
    "area_bps_seconds": "area beyond, bps · s",
    "gini": "Gini",
    "gini_ratio": "Gini",
    "milliseconds": "length, ms",
    "reference_chain_id": "reference chain",
    "market_symbol": "market",
    "length_seconds": "length, s",
    "notional_share": "share of notional",
    "asset_token": "asset",
    "drawdown_usd_ratio": "fall in dollars",
    "drawdown_tokens_ratio": "fall in base units",
    "error_usd_bps": "error, bps",
    "mean_change_ratio": "mean a day",
    "sd_change_ratio": "standard deviation a day",
}
# What is counted by a word that has no plural.
_ADJECTIVES = frozenset(
    {
        *("known", "unknown", "long", "short", "open", "late", "missed", "removed", "valued"),
        *("losing", "fallen", "flat", "costly", "unmarked", "unplaced", "unsampled"),
        *("single", "shared", "stated", "younger", "owing"),
    }
)


def header(name: str) -> str:
    """Return the words for a column, with its unit."""
    if name in _HEADERS:
        return _HEADERS[name]
    for ending, said in _UNITS.items():
        if name.endswith(ending):
            return f"{_words(name.removesuffix(ending))}, {said}"
    # What a price is in stands beside its asset.
    plain = name.removeprefix("is_").removesuffix("_ratio").removesuffix("_quote")
    if name.endswith("_count"):
        return _plural(_words(plain.removesuffix("_count")))
    return f"{_words(plain.removesuffix('_at'))}{', UTC' if plain.endswith('_at') else ''}"


def _plural(words: str) -> str:
    last = words.rpartition(" ")[2]
    if last in _ADJECTIVES:
        return words
    if last.endswith("ry"):
        return f"{words.removesuffix('y')}ies"
    return f"{words}{'es' if last.endswith(('s', 'ch')) else 's'}"


def _words(name: str) -> str:
    short = {name: name.upper() for name in ("adl", "pmr", "ptsr", "tvl", "usd")}
    return " ".join(short.get(word, word) for word in name.split("_"))
