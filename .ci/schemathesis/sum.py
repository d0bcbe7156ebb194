"""Adds up what hooks.py counted, prints it, and fails on any 5xx or too few 2xx.

    sum.py SHARE FILE...      SHARE: how many of a hundred requests that fit the document must be answered 2xx
"""

import collections
import json
import pathlib
import sys

share, files = int(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
COLUMNS = ["calls", "2xx", "3xx", "4xx", "5xx", "fitting", "fitting 2xx"]
total, codes = collections.Counter(), collections.Counter()
print(f"{'role':<10}" + "".join(f"{column:>13}" for column in COLUMNS))
for file in files:
    read = json.loads(file.read_text())
    counts = collections.Counter(read["counts"])
    total += counts
    codes += collections.Counter(read["codes"])
    print(f"{file.stem:<10}" + "".join(f"{counts[column]:>13}" for column in COLUMNS))
print(f"{'all':<10}" + "".join(f"{total[column]:>13}" for column in COLUMNS))
print("most often: " + ", ".join(f"{code} {count}" for code, count in codes.most_common(12)))
reached = 100 * total["fitting 2xx"] / max(total["fitting"], 1)
print(f"{reached:.0f} % of the requests that fit the document were answered 2xx; at least {share} % must be")
sys.exit(1 if total["5xx"] or reached < share else 0)
