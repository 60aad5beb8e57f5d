"""What goes wrong at the node, as data: one row of the fault matrix each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Fault:
    """
    A way for a node to fail, always the same way.

    Attributes:
        name: in URLs.
        title: in the table.
        omits_log: one log of one block is missing from every answer.
        omits_block: all logs of one block are missing from every answer.
        cuts_at: longer answers end silently after this many logs; 0 for none.
        refuses_above: longer answers are refused, with the error of a result limit; 0 for none.
        busy_every: every so manieth HTTP request is answered 429; 0 for none.
        has_odd_log: the block with the log that cannot be read belongs to the range.
        span: blocks in one request of clients that have to be told; few where it takes many
            requests to meet the fault.
    """

    name: str
    title: str
    omits_log: bool = False
    omits_block: bool = False
    cuts_at: int = 0
    refuses_above: int = 0
    busy_every: int = 0
    has_odd_log: bool = False
    span: int = 1_000


NONE = Fault("none", "nothing wrong")
FAULTS = (
    Fault("log", "one log omitted", omits_log=True),
    Fault("block", "a block's logs omitted", omits_block=True),
    Fault("cut", "answers cut at 5,000 logs", cuts_at=5_000),
    Fault("limit", "more than 5,000 logs refused", refuses_above=5_000),
    Fault("busy", "every 7th request 429", busy_every=7, span=20),
    Fault("odd", "one log undecodable", has_odd_log=True),
)
BY_NAME = {fault.name: fault for fault in (NONE, *FAULTS)}
