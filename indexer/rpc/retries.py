"""How often and after which pauses a request that every endpoint failed is sent again."""

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception

from indexer.errors import NodeAnswerWrong, RetryableError
from indexer.rpc.clock import Clock
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import Refused, SlowDown, TimedOut, TooManyCalls

_TRIES_AFTER_TIME_OUT = 2  # a request that takes too long rarely gets faster


def retrying(endpoint: Endpoint, clock: Clock) -> AsyncRetrying:
    """
    Return the retry policy of an endpoint's settings: bounded tries, growing pauses with jitter.

    Where the endpoint itself asked for a pause, the pool keeps it; the policy adds none. The last
    failure is raised as it is.
    """
    first, longest = endpoint.first_wait_seconds, endpoint.longest_wait_seconds

    def pause(state: RetryCallState) -> float:
        if asked_pause(_error(state)):
            return 0.0
        return min(first * 2.0 ** (state.attempt_number - 1), longest) + first * clock.chance()

    def is_over(state: RetryCallState) -> bool:
        if asked_pause(_error(state)) > longest:
            return True
        is_slow = isinstance(_error(state), TimedOut)
        most = min(endpoint.tries, _TRIES_AFTER_TIME_OUT) if is_slow else endpoint.tries
        return state.attempt_number >= most

    async def sleep(seconds: float) -> None:
        if seconds:
            await clock.sleep(seconds)

    return AsyncRetrying(
        sleep=sleep, stop=is_over, wait=pause, retry=retry_if_exception(may_pass), reraise=True
    )


def may_pass(error: BaseException) -> bool:
    """Whether the endpoint that failed so may answer when it is asked again."""
    # A wrong answer may come from one bad backend behind a balancer, or from a reorg between
    # the two calls of a batch.
    is_lasting = isinstance(error, Refused | TooManyCalls)
    return isinstance(error, RetryableError | NodeAnswerWrong) and not is_lasting


def asked_pause(error: BaseException | None) -> float:
    """Return the pause an endpoint asked for with this refusal, seconds; 0 where it named none."""
    return (error.wait_seconds or 0.0) if isinstance(error, SlowDown) else 0.0


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
