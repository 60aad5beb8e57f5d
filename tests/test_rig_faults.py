"""
Each fault of the rig, alone, against `perpscope index`.

A run ends with exactly the database of an undisturbed one, or says what is wrong; once the fault
is gone, another run ends with exactly that database. Never is it silently another one.
"""

from pathlib import Path

import pytest
from database_digest import differences, digest
from rig.catalogue import FAULTS, of_kind
from rig.exchange import Habits
from rig.fault import Fault, Kind, Planned
from rig.live import BLOCKS, extended, live
from rig.node import Rig, serving
from rig.runs import SLOW_SECONDS, Told, hasty, healed, indexed, job_of, patient
from sync_rig import FIRST, rows

from indexer.simulation.blocks import Block

Clean = tuple[list[Block], dict[str, str]]

HEAD = FIRST + BLOCKS - 1
# Nothing in an answer contradicts an omission; only a proof of completeness can see it.
SEEN = of_kind(Kind.SEEN) + of_kind(Kind.OMISSION)
# Where a node tells no tags, finality comes with age: later, and never too early.
TAGS = {"tags_unknown", "tags_ignored", "unseen_in_words"}
SPAN = 40
# One or two of those that end alike; the campaign of tests/test_soak.py plays all of them.
HERE = {
    *("log_of_another_contract", "wrong_header", "wrong_chain", "tags_unknown", "pins_ignored"),
    *("lagging_backend", "batch_partly_lost", "range_limit", "too_many_requests"),
    *("breakdown_in_words", "slow", "cut_body", "log_left_out", "truncated"),
}
# tests/test_rig.py shows on the wire what these do; the campaign plays them, too.
SHOWN = {"block_left_out", "truncated", "mined"}


def some_of(kind: Kind) -> list[object]:
    """Return the faults of a kind; those that are shown elsewhere for a soak."""
    return [
        pytest.param(fault, marks=[pytest.mark.soak] * (fault.name in SHOWN))
        for fault in of_kind(kind)
    ]


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    """Return the chain and the digest of a database that was indexed without any fault."""
    path, chain = tmp_path_factory.mktemp("clean") / "a.duckdb", extended((), BLOCKS)
    with serving(Rig(live(chain))) as rig:
        assert indexed(job_of(path), patient(rig.url)) == Told(HEAD)
    return chain, digest(path)


def rig_with(fault: Fault, chain: list[Block], seed: int = 1) -> Rig:
    """Return a node that misbehaves in one way, in about half of its answers and not forever."""
    often = {"tags_unknown", "tags_ignored", "wrong_chain", "pins_ignored", "pins_refused"}
    rate, most = (1.0, None) if fault.name in often else (0.5, 4)
    planned = [Planned(fault, rate, most)]
    return Rig(live(chain), planned, seed, Habits(slow_seconds=SLOW_SECONDS))


def is_as_said(path: Path, told: Told, found: list[str], *, by_age: bool) -> bool:
    """Tell whether a database is what the run that wrote it says: whole, behind, or cut short."""
    if told.error:
        return bool(told.message)
    if told.head < HEAD:
        # Another of the balancer's nodes may have told of later blocks before.
        ends = rows(path, "select max(to_block) from coverage group by protocol")
        return all(told.head <= int(str(end)) < HEAD for (end,) in ends)
    return not found or (by_age and set(found) <= {"blocks", "coverage"})


@pytest.mark.parametrize(
    "fault",
    [pytest.param(fault, marks=[pytest.mark.soak] * (fault.name not in HERE)) for fault in SEEN],
    ids=lambda fault: fault.name,
)
def test_a_fault_is_survived_or_named_and_leaves_nothing_behind(
    fault: Fault, clean: Clean, tmp_path: Path
) -> None:
    """The run is right or says why not; after the fault, the next run is exactly right."""
    chain, expected = clean
    path = tmp_path / "a.duckdb"
    with serving(rig_with(fault, chain)) as rig:
        told = indexed(job_of(path, max_span=SPAN), hasty(rig.url))
        found = differences(path, expected) if path.exists() else sorted(expected)
        is_honest = is_as_said(path, told, found, by_age=fault.name in TAGS)
        rig.heal()
        after = indexed(job_of(path), patient(rig.url)) if found else told

    assert rig.struck[fault.name]
    assert is_honest, (told, found)
    assert after == Told(HEAD)
    assert not found or differences(path, expected) == []


@pytest.mark.parametrize("fault", some_of(Kind.OMISSION), ids=lambda fault: fault.name)
def test_an_omission_is_sound_in_itself(fault: Fault, clean: Clean, tmp_path: Path) -> None:
    """The rig really omits: without proof the run ends well, and logs are missing."""
    chain, expected = clean
    path = tmp_path / "a.duckdb"
    # Blooms of headers that come anyway find some without being asked; not under this seed.
    with serving(rig_with(fault, chain, seed=5)) as rig:
        told = indexed(job_of(path, max_span=16, proof="fetched"), patient(rig.url))

    assert rig.struck[fault.name]
    assert told == Told(HEAD)
    assert "logs" in differences(path, expected)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.parametrize("fault", some_of(Kind.MOVE), ids=lambda fault: fault.name)
def test_a_chain_that_moves_is_followed(fault: Fault, seed: int, tmp_path: Path) -> None:
    """After the last change, the database is that of a run that only saw the last chain."""
    path, fresh = tmp_path / "a.duckdb", tmp_path / "new.duckdb"
    with serving(Rig(live(), [Planned(fault, 0.3, 3)], seed)) as rig:
        told = indexed(job_of(path, max_span=SPAN), hasty(rig.url))
        rig.heal()
        after = healed(job_of(path), patient(rig.url), FIRST + rig.live.common - 1)
        indexed(job_of(fresh), patient(rig.url))

    assert rig.struck[fault.name]
    assert told.error in {"", "ReorgTooDeep", "NodeAnswerWrong", "ChainMoved", "NodeBehind"}
    assert after == Told(rig.live.state.head)
    assert differences(path, digest(fresh)) == []


def test_every_fault_has_its_sentence() -> None:
    """Names are unique and each fault says in one line what it does."""
    assert len(FAULTS) == len({fault.sentence for fault in FAULTS.values()})
    assert all(fault.sentence.endswith(".") for fault in FAULTS.values())
