"""Questions in SQL, one SELECT per file; those of `metrics/` repeat a metric each."""
