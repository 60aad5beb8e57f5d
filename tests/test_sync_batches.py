"""Indexing from nodes that take few calls in one request: all is there, and nothing else."""

from pathlib import Path

import pytest
from database_digest import differences, digest
from rig.catalogue import FAULTS
from rig.exchange import Habits
from rig.fault import Planned
from rig.live import BLOCKS, extended, live
from rig.node import Rig, serving
from rig.runs import Told, indexed, job_of, patient
from sync_rig import FIRST

from indexer.simulation.blocks import Block

Clean = tuple[list[Block], dict[str, str]]

HEAD = FIRST + BLOCKS - 1
LIMITED = Planned(FAULTS["batch_limit"])


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """Return the chain and the digest of a database from a node that takes any batch."""
    path, chain = tmp_path_factory.mktemp("clean") / "a.duckdb", extended((), BLOCKS)
    with serving(Rig(live(chain))) as rig:
        assert indexed(job_of(path, proof="receipts"), patient(rig.url)) == Told(HEAD)
    return chain, digest(path)


def taking(limit: int, said_by: str | None, chain: list[Block]) -> Rig:
    """Return a node that takes so many calls in one request and refuses more in these words."""
    return Rig(live(chain), [LIMITED], habits=Habits(call_limit=limit, said_by=said_by))


@pytest.mark.parametrize(
    ("limit", "said_by"),
    [
        (2, "dRPC"),
        (3, "geth"),
        (50, "Reth"),
        *(
            pytest.param(limit, said_by, marks=pytest.mark.soak)
            for said_by, limits in (
                ("dRPC", (3, 10, 50)),
                ("geth", (2, 10, 50)),
                ("Reth", (2, 3, 10)),
            )
            for limit in limits
        ),
    ],
)
def test_a_node_that_takes_few_calls_is_indexed_whole(
    limit: int, said_by: str, clean: Clean, tmp_path: Path
) -> None:
    """Logs come with their header where two calls pass; headers and receipts come in parts."""
    chain, expected = clean
    path = tmp_path / "a.duckdb"
    with serving(taking(limit, said_by, chain)) as rig:
        told = indexed(job_of(path, proof="receipts"), patient(rig.url))

    assert told == Told(HEAD)
    assert differences(path, expected) == []
    # Told a number, one refusal for headers and one for receipts of whole blocks; halving, a few.
    assert not rig.calls["eth_getTransactionReceipt"]
    assert 0 < rig.struck["batch_limit"] <= (16 if said_by == "geth" else 4)


def test_endpoints_with_different_limits_serve_one_run(clean: Clean, tmp_path: Path) -> None:
    """The more generous one gets the larger batches, and the other is not asked in vain."""
    chain, expected = clean
    path = tmp_path / "a.duckdb"
    with serving(taking(3, "dRPC", chain)) as few, serving(taking(50, "Reth", chain)) as many:
        told = indexed(job_of(path, proof="receipts"), patient(few.url), patient(many.url))

    assert told == Told(HEAD)
    assert differences(path, expected) == []
    assert many.calls["eth_getBlockByNumber"] > few.calls["eth_getBlockByNumber"]
    assert few.struck["batch_limit"] + many.struck["batch_limit"] <= 8


def test_a_node_that_takes_no_batches_is_refused(clean: Clean, tmp_path: Path) -> None:
    """Logs without the header that proves them are not believed; the run says who and why."""
    chain, _ = clean
    with serving(taking(1, "geth", chain)) as rig:
        told = indexed(job_of(tmp_path / "a.duckdb"), patient(rig.url))

    assert told.error == "Refused"
    assert "batch too large" in told.message
