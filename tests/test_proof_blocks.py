"""Real whole blocks: what recomputes passes, wrong answers fail, quirks are not called forged."""

import gzip
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from proof_rig import TAMPERINGS, Tampering, true_blocks

from indexer.chains import CHAINS, ETHEREUM, Chain
from indexer.errors import NodeAnswerWrong
from indexer.proof import LOG_COLUMNS, QUIRKS, Part, differences, outside, reached, waived_at
from indexer.proof.quirks import quirks_at
from indexer.rpc.frames import log_frame
from indexer.rpc.sealing import receipt_logs, sealed_frame

Json = Any
DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "blocks"
BLOCKS = sorted(DATA.glob("*.json.gz"))
WRONG = sorted((DATA / "wrong_rpc_answers").glob("*.json.gz"))


def chain_of(path: Path) -> Chain:
    """Return the chain a file's name begins with."""
    slug = path.name.rpartition("_")[0]
    return next(chain for chain in CHAINS if chain.slug == slug)


def content(path: Path) -> Json:
    """Return a recorded block."""
    return json.loads(gzip.decompress(path.read_bytes()))


def verified(header: Json, receipts: Json, chain: Chain) -> pl.DataFrame:
    """Return the logs of a block whose header and receipts recompute, or raise."""
    headers = sealed_frame([json.dumps(header).encode()], chain)
    blocks = headers.select("number", "hash", "receipts_root").rows()
    logs = receipt_logs([json.dumps(receipts).encode()], blocks, chain)
    if Part.BLOOM not in waived_at(chain, blocks[0][0]):
        assert outside(logs, headers, LOG_COLUMNS) == set()
    return logs


@pytest.mark.parametrize("path", BLOCKS, ids=lambda path: path.name.partition(".")[0])
def test_a_recorded_block_passes_or_is_waived(path: Path) -> None:
    """Blocks that the recorder's check calls right pass; what fails it, a quirk explains."""
    block, chain = content(path), chain_of(path)
    number, check = int(block["header"]["number"], 16), block["_check"]
    waived = waived_at(chain, number)

    logs = verified(block["header"], block["receipts"], chain)

    assert len(logs) == check["n_logs"]
    assert check["header_hash_ok"] or Part.HASH in waived
    assert check["receipts_root_ok"] or Part.ROOT in waived
    assert check["bloom_ok"] or Part.BLOOM in waived
    is_right = check["header_hash_ok"] and check["receipts_root_ok"] and check["bloom_ok"]
    proof, waiver = reached("receipts", quirks_at(chain, number))
    assert proof == "receipts" or waiver
    assert not (is_right and waived)


@pytest.mark.parametrize("path", WRONG, ids=lambda path: path.name.partition(".")[0])
def test_a_wrong_answer_fails(path: Path) -> None:
    """Receipts with wrong status and gas do not give the root their header commits to."""
    block = content(path)

    with pytest.raises(NodeAnswerWrong, match="expected all receipts as they are"):
        verified(block["header"], block["receipts"], ETHEREUM)


def test_consecutive_blocks_link(shared: Path) -> None:
    """23 consecutive recorded headers continue each other by parent hash."""
    folder = shared / "data" / "blocks"
    answers = [
        json.dumps(content(folder / f"ethereum_{number}.json.gz")["header"]).encode()
        for number in range(17686110, 17686133)
    ]

    headers = sealed_frame(answers, ETHEREUM)

    assert (headers["hash"].shift() == headers["parent_hash"]).sum() == 22


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_real_block_is_caught(name: str, shared: Path) -> None:
    """A log removed, added, changed or swapped, an emptied answer, a forged header: all raise."""
    block = content(shared / "data" / "blocks" / "ethereum_17686110.json.gz")
    refuses(TAMPERINGS[name], block["header"], block["receipts"])


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_tampered_simulated_block_is_caught(name: str) -> None:
    """The same with a block whose commitments an independent implementation made."""
    block = true_blocks(130)[-5]
    receipts = [json.loads(block.receipt_text(receipt)) for receipt in block.receipts]
    assert len(receipts) > 1

    refuses(TAMPERINGS[name], dict(block.header), receipts)


def refuses(tampering: Tampering, header: Json, receipts: Json) -> None:
    """Check that a block passes, and fails once it was tampered with."""
    truth = verified(header, receipts, ETHEREUM)
    header, receipts = json.loads(json.dumps([header, receipts]))

    tampering(header, receipts)

    with pytest.raises(NodeAnswerWrong):
        verified(header, receipts, ETHEREUM)
    assert len(truth)


@pytest.mark.parametrize(
    ("field", "said"),
    [("transactionHash", "transactionHash is not 32 bytes"), ("logsBloom", "not 0x and 512 hex")],
)
def test_a_field_of_another_width_is_no_receipt(field: str, said: str) -> None:
    """What is wrong with it is said, before anything is made of it."""
    block = true_blocks(130)[-5]
    receipts = [json.loads(block.receipt_text(receipt)) for receipt in block.receipts]
    receipts[0][field] = "0x12"

    with pytest.raises(NodeAnswerWrong, match=rf"cannot be read \(.*{said}"):
        verified(dict(block.header), receipts, ETHEREUM)


@pytest.mark.parametrize(
    "name", [name for name in TAMPERINGS if "header" not in name and "misn" not in name]
)
def test_tampered_logs_differ_from_what_receipts_prove(name: str) -> None:
    """Whatever was done to the logs of an answer, the comparison names the block."""
    block = true_blocks(130)[-5]
    receipts = [json.loads(block.receipt_text(receipt)) for receipt in block.receipts]
    truth = verified(dict(block.header), receipts, ETHEREUM)
    tampered = json.loads(json.dumps(receipts))
    TAMPERINGS[name]({}, tampered)
    told = json.dumps([log for receipt in tampered for log in receipt["logs"]]).encode()

    found = differences(log_frame(told), truth)

    assert list(found) == [block.number]


def test_a_log_that_is_there_twice_is_one_too_many() -> None:
    """Facts derived from it would be there twice, though receipts tell of no other log."""
    block = true_blocks(130)[-5]
    receipts = [json.loads(block.receipt_text(receipt)) for receipt in block.receipts]
    truth = verified(dict(block.header), receipts, ETHEREUM)

    assert differences(truth, truth) == {}
    assert differences(pl.concat([truth, truth[:1]]), truth) == {block.number: "1 log added"}


@pytest.mark.parametrize(
    "quirk", [quirk for quirk in QUIRKS if quirk.fixture], ids=lambda q: q.name
)
def test_a_quirk_is_shown_by_its_fixture(quirk: Any, shared: Path) -> None:
    """The recorded block of a quirk lies in its blocks, and shows what the row says."""
    path = shared / "data" / "blocks" / f"{quirk.fixture}.json.gz"
    block = content(path)
    number, check = int(block["header"]["number"], 16), block["_check"]
    indexes = [log["logIndex"] for receipt in block["receipts"] for log in receipt["logs"]]
    shows = {
        "foreign header": not check["header_hash_ok"] and not check["receipts_root_ok"],
        "leaking bloom": not check["bloom_ok"],
        "phantom transactions": len(block["header"]["transactions"]) > len(block["receipts"]),
        "log indexes that do not count": indexes != [hex(place) for place in range(len(indexes))],
    }

    assert quirk in quirks_at(chain_of(path), number)
    assert shows[quirk.name]
