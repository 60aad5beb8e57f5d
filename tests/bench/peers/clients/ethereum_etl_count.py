"""ethereum-etl: `python ethereum_etl_count.py FOLDER` counts what is in its CSV file."""

import csv
import sys
from pathlib import Path

with Path(sys.argv[1], "transfers.csv").open(newline="", encoding="utf-8") as lines:
    values = [int(row["value"]) for row in csv.DictReader(lines)]
print(len(values), sum(values))
