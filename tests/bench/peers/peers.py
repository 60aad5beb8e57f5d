"""
Who is measured, as data: what to install, how to run it, how to count what it found.

In commands, `{...}` stands for: python (perpscope's own), bin (the peer's programs), modules (its
npm packages), clients (the scripts here), url, clean (the same node without the fault), contract,
last, span (blocks in one request) and folder.
"""

from dataclasses import dataclass

EVERYTHING = 10**12


@dataclass(frozen=True)
class Peer:
    """
    A tool, with what one run of it does.

    Attributes:
        name: in the tables, with the version that is installed.
        work: what it does with the logs, in the tables.
        command: indexes the blocks 1 to last; its process is what is measured.
        counting: prints how many transfers were found, and the sum of their values or `raw`.
        requires: packages of its own environment; none for perpscope.
        uses: which package manager has them.
        python: the Python it needs, where ours is too new for it.
        most_logs: slow tools are measured on the beginning of the chain.
    """

    name: str
    work: str
    command: str
    counting: str
    requires: tuple[str, ...] = ()
    uses: str = "pip"
    python: str = ""
    most_logs: int = EVERYTHING


def perpscope(name: str, work: str, *words: str) -> Peer:
    """Return perpscope with more words on its command line."""
    client = "{python} {clients}/perpscope_client.py"
    index = (
        f"{client} index --chain ethereum --rpc {{url}} --protocol transfers --from 1 "
        "--to {last} --database {folder}/peers.duckdb"
    )
    return Peer(name, work, " ".join((index, *words)), f"{client} count {{folder}}")


# A variant this perpscope does not know yet is reported like a peer that does not run.
PERPSCOPE = (
    perpscope("perpscope", "fetch, check, decode, facts, DuckDB"),
    perpscope("perpscope, bloom", "the same with bloom proof", "--proof", "bloom"),
    perpscope("perpscope, receipts", "the same with receipts proof", "--proof", "receipts"),
    perpscope(
        "perpscope, receipts, two nodes",
        "the same, the second node without faults",
        *("--proof", "receipts", "--rpc", "{clean}"),
    ),
)
PEERS = (
    Peer(
        "cryo 0.3.2",
        "fetch, decode, Parquet",
        "{bin}/python {clients}/cryo_client.py {url} {contract} {last} {span} {folder}",
        "{bin}/python {clients}/cryo_client.py count {folder}",
        ("cryo==0.3.2", "polars"),
    ),
    Peer(
        "web3-ethereum-defi 1.2",
        "fetch, nothing decoded or stored",
        "{bin}/python {clients}/web3_ethereum_defi_client.py {url} {contract} {last} {span} "
        "{folder}",
        "cat {folder}/rows.txt",
        ("web3-ethereum-defi==1.2",),
    ),
    Peer(
        "checkthechain 0.3.9",
        "fetch, decode, a frame in memory",
        "{bin}/python {clients}/checkthechain_client.py {url} {contract} {last} {span} {folder}",
        "cat {folder}/rows.txt",
        ("checkthechain==0.3.9",),
    ),
    Peer(
        "ethereum-etl 2.4.2",
        "fetch, decode, CSV",
        "{bin}/ethereumetl export_token_transfers --start-block 1 --end-block {last} "
        "--batch-size {span} --max-workers 2 --provider-uri {url} --tokens {contract} "
        "--output {folder}/transfers.csv",
        "{python} {clients}/ethereum_etl_count.py {folder}",
        ("ethereum-etl==2.4.2", "setuptools<70"),
        python="3.10",
        most_logs=100_000,
    ),
    Peer(
        "ponder 0.16.10",
        "fetch, decode, PGlite",
        "{python} {clients}/ponder_client.py {url} {contract} {last} {folder} {modules}",
        "{python} {clients}/ponder_client.py count {folder}",
        ("ponder@0.16.10", "hono@4", "viem@2.56.9", "typescript@5", "node@22.23.3"),
        uses="npm",
        most_logs=50_000,
    ),
)
