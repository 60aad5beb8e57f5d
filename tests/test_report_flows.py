"""Flows and credit events in a report: what nobody told is neither summed nor counted."""

from pathlib import Path

from handmade import table
from report_rows import MAPLE, part_of, written_market

from analytics.reports.sections.credit import credit

FLOW = MAPLE | {"pool": "0xpool", "account": "0xa", "share_tokens": 4}


def test_money_that_nobody_told_is_not_known(tmp_path: Path) -> None:
    """Mints of shares alone have no total of assets; beside known ones the known are summed."""
    flows = table(
        "pool_flows",
        FLOW | {"kind": "mint", "asset_tokens": None},
        FLOW | {"kind": "mint", "asset_tokens": None},
        FLOW | {"kind": "deposit", "asset_tokens": None},
        FLOW | {"kind": "deposit", "asset_tokens": 7},
    )

    page = part_of(written_market(tmp_path, pool_flows=flows), credit).split("Pool flows")[1]

    lines = page.splitlines()
    mint, deposit = (
        next(line for line in lines if f"| {kind} |" in line) for kind in ("mint", "deposit")
    )
    assert "| n/k |" in mint
    assert "8.00" in mint
    assert "7.00" in deposit


def test_nobody_told_is_no_account(tmp_path: Path) -> None:
    """Of two calls, one without an account, there is one account; of a default without, unknown."""
    told, nobody = ({**FLOW, "kind": "call", "account": name} for name in ("0xa", None))
    lost = nobody | {"kind": "default"}
    path = written_market(tmp_path, credit_events=table("credit_events", told, nobody, lost))

    page = part_of(path, credit).split("Credit events by kind")[1]

    assert "| call | 2 | 1 |" in page
    assert "| default | 1 | n/k |" in page
