"""The error tree of analytics: `UserError` exits 2, `WorldError` exits 1, both in one sentence."""


class AnalyticsError(Exception):
    """Anything perpscope reports in one sentence instead of a traceback."""


class UserError(AnalyticsError):
    """The request is wrong: an unknown metric, query, parameter or format."""


class WorldError(AnalyticsError):
    """The request is right and something outside prevents it: a missing, locked or old database."""


class TooLarge(WorldError):
    """A sum is larger than DECIMAL(38,18) can hold."""
