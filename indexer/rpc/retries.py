"""How often and after which pauses a failed request is sent again to the same endpoint."""

from collections.abc import Awaitable, Callable

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    wait_exponential,
    wait_random,
)

from indexer.errors import NodeAnswerWrong, RetryableError
from indexer.rpc.endpoint import Endpoint
from indexer.rpc.failures import Refused, SlowDown, TimedOut

Sleep = Callable[[float], Awaitable[None]]

_TRIES_AFTER_TIME_OUT = 2  # a request that takes too long rarely gets faster


def retrying(endpoint: Endpoint, sleep: Sleep) -> AsyncRetrying:
    """
    Return the retry policy of an endpoint: bounded tries, exponential pauses with jitter.

    A pause the node asks for is obeyed, unless it is longer than `longest_wait_seconds`; then
    the endpoint is given up at once. The last failure is raised as it is.
    """
    first, longest = endpoint.first_wait_seconds, endpoint.longest_wait_seconds
    backoff = wait_exponential(multiplier=first, max=longest) + wait_random(0, first)

    def pause(state: RetryCallState) -> float:
        return max(backoff(state), _asked_pause(state))

    def is_over(state: RetryCallState) -> bool:
        if _asked_pause(state) > endpoint.longest_wait_seconds:
            return True
        is_slow = isinstance(_error(state), TimedOut)
        most = min(endpoint.tries, _TRIES_AFTER_TIME_OUT) if is_slow else endpoint.tries
        return state.attempt_number >= most

    return AsyncRetrying(
        sleep=sleep, stop=is_over, wait=pause, retry=retry_if_exception(_may_pass), reraise=True
    )


def _may_pass(error: BaseException) -> bool:
    # A wrong answer may come from one bad backend behind a balancer, or from a reorg between
    # the two calls of a batch.
    return isinstance(error, RetryableError | NodeAnswerWrong) and not isinstance(error, Refused)


def _error(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None


def _asked_pause(state: RetryCallState) -> float:
    error = _error(state)
    return (error.wait_seconds or 0.0) if isinstance(error, SlowDown) else 0.0
