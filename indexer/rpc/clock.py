"""Time as the pool of endpoints sees it, replaceable so that tests wait for nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from random import random
from time import monotonic

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Clock:
    """
    What passes the time.

    Attributes:
        now: seconds since some moment; never goes backwards.
        sleep: waits that many seconds.
        chance: a number from 0 up to 1, for jitter.
    """

    now: Callable[[], float] = monotonic
    sleep: Sleep = asyncio.sleep
    chance: Callable[[], float] = random
