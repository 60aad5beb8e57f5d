"""Every fault there is, a row each."""

from rig import breakdowns, lies, moves, omissions, refusals
from rig.fault import Fault, Kind, Phase

_ASKED, _TOLD, _SENT = Phase.ASKED, Phase.TOLD, Phase.SENT

FAULTS = {
    fault.name: fault
    for fault in (
        # Sound in itself, and logs are missing.
        Fault(omissions.log_left_out, _TOLD, Kind.OMISSION),
        Fault(omissions.block_left_out, _TOLD, Kind.OMISSION),
        Fault(omissions.truncated, _TOLD, Kind.OMISSION),
        Fault(omissions.pruned_is_empty, _TOLD, Kind.OMISSION),
        Fault(omissions.batch_is_split, _ASKED, Kind.OMISSION),
        # Contradictions.
        Fault(lies.duplicated_log, _TOLD, Kind.SEEN),
        Fault(lies.duplicated_block, _TOLD, Kind.SEEN),
        Fault(lies.removed_log, _TOLD, Kind.SEEN),
        Fault(lies.log_out_of_range, _TOLD, Kind.SEEN),
        Fault(lies.log_of_another_contract, _TOLD, Kind.SEEN),
        Fault(lies.wrong_hash_in_log, _TOLD, Kind.SEEN),
        Fault(lies.wrong_hash_in_header, _TOLD, Kind.SEEN),
        Fault(lies.wrong_header, _TOLD, Kind.SEEN),
        Fault(lies.wrong_chain, _TOLD, Kind.SEEN),
        Fault(lies.tags_ignored, _ASKED, Kind.SEEN),
        Fault(lies.tags_unknown, _ASKED, Kind.SEEN),
        Fault(lies.pins_ignored, _ASKED, Kind.SEEN),
        Fault(lies.pins_refused, _ASKED, Kind.SEEN),
        Fault(lies.lagging_backend, _ASKED, Kind.SEEN),
        Fault(lies.unseen_is_empty, _ASKED, Kind.SEEN),
        Fault(lies.another_chain_behind_the_balancer, _ASKED, Kind.SEEN),
        Fault(lies.wrong_ids, _TOLD, Kind.SEEN),
        Fault(lies.batch_out_of_order, _TOLD, Kind.SEEN),
        Fault(lies.batch_partly_failed, _TOLD, Kind.SEEN),
        Fault(lies.batch_partly_lost, _TOLD, Kind.SEEN),
        # Refusals.
        Fault(refusals.range_limit, _ASKED, Kind.SEEN),
        Fault(refusals.batch_limit, _SENT, Kind.SEEN),
        Fault(refusals.too_many_requests, _SENT, Kind.SEEN),
        Fault(refusals.too_many_requests_retry_after, _SENT, Kind.SEEN),
        Fault(refusals.rate_limited_in_words, _ASKED, Kind.SEEN),
        Fault(refusals.unseen_in_words, _ASKED, Kind.SEEN),
        Fault(refusals.breakdown_in_words, _ASKED, Kind.SEEN),
        Fault(refusals.refused_as_a_whole, _SENT, Kind.SEEN),
        # The way between.
        Fault(breakdowns.server_error, _SENT, Kind.SEEN),
        Fault(breakdowns.slow, _SENT, Kind.SEEN),
        Fault(breakdowns.cut_connection, _SENT, Kind.SEEN),
        Fault(breakdowns.cut_body, _SENT, Kind.SEEN),
        Fault(breakdowns.cut_json, _SENT, Kind.SEEN),
        Fault(breakdowns.web_page, _SENT, Kind.SEEN),
        Fault(breakdowns.nothing, _SENT, Kind.SEEN),
        # The chain moves.
        Fault(moves.mined, _ASKED, Kind.MOVE),
        Fault(moves.reorg, _ASKED, Kind.MOVE),
        Fault(moves.deep_reorg, _ASKED, Kind.MOVE),
    )
}


def of_kind(kind: Kind) -> list[Fault]:
    """Return the faults of which the same can be expected."""
    return [fault for fault in FAULTS.values() if fault.kind is kind]
