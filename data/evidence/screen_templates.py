"""Look for offensive words in the templates: a first, coarse check that they are harmless.

`make screen` fetches the word list (better-profanity) and runs this. A word list knows no
meaning: what it lets pass still needs a reader (data/evidence/review.md).
"""

from __future__ import annotations

import argparse
import csv
import sys
from pathlib import Path
from typing import Final

DATA: Final = Path(__file__).parents[1]


def main() -> None:
    """Print each template that holds a listed word, and end with 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("packages", type=Path, help="folder with the unpacked word list")
    parser.add_argument("files", type=Path, nargs="*", default=sorted(DATA.glob("templates*.csv")))
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.packages))
    from better_profanity import profanity  # noqa: PLC0415 - unpacked beside the environment

    profanity.load_censor_words()
    found = 0
    for path in arguments.files:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        listed = [row for row in rows if profanity.contains_profanity(row["template"])]
        for row in listed:
            print(f"{path}: {row['template_id']}: {profanity.censor(row['template'])}")  # noqa: T201
        print(f"{path}: {len(listed)} of {len(rows)} templates hold a listed word")  # noqa: T201
        found += len(listed)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
