"""
The commands of analytics: what is asked, measured, traced, checked, compared and reported.

`COMMANDS` says of each where it is and what it does, so that a list of them loads none of them.
"""

COMMANDS = {
    "report": (
        "analytics.reports.command:report",
        "Write a report: HTML with charts, Markdown, the rows in four formats, and a manifest.",
    ),
    "trace": (
        "analytics.reports.trace_command:trace",
        "Show the facts and transactions a number rests on, proven by computing it from them "
        "again.",
    ),
    "check": (
        "analytics.reports.check_command:check",
        "Test what must hold of the facts: fees and their parts, open interest, tokens, shares.",
    ),
    "replay-report": (
        "analytics.reports.replay_command:replay_report",
        "Make a report again from what its manifest says, and compare every byte.",
    ),
    "compare": (
        "analytics.vendors.command:compare",
        "Compare our numbers with a vendor's, each difference of definition named and measured.",
    ),
    "query": (
        "analytics.reports.query_command:query",
        "Ask one of the stored questions about the database.",
    ),
    "metric": (
        "analytics.reports.metric_command:metric",
        "Compute a metric, or say how it is computed.",
    ),
    "study": (
        "analytics.studies.command:app",
        "Hold published figures against rows, or compute the same figures of any window.",
    ),
}
