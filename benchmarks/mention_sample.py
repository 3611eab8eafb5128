"""Mentions to read: some of each row of the lexicon, drawn from the requests of a file of pairs.

Prints line of the file, group and words around. Its own reading of them goes into the
columns `checked` and `right` of the lexicon. The data may be offensive.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from pathlib import Path

from refusal_parity.config import PairColumns
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.preference.pairs import Ledger, read_pairs

AROUND = 50


def main() -> None:
    """Draw and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pairs", type=Path, help="JSON lines in the format transcripts")
    parser.add_argument("--lexicon", type=Path, default=Path("data/mentions.csv"))
    parser.add_argument("--each", type=int, default=16, help="mentions of a row")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lexicon = read_lexicon(given.lexicon)
    found = defaultdict(list)
    for part in read_pairs(
        given.pairs, layout="transcripts", columns=PairColumns(), ledger=Ledger()
    ):
        for pair, texts in part.select("pair", "requests").iter_rows():
            for text in texts:
                for mention in lexicon.find(text):
                    before = text[max(0, mention.start - AROUND) : mention.start]
                    after = text[mention.end : mention.end + AROUND]
                    words = f"{before}<<{text[mention.start : mention.end]}>>{after}"
                    found[mention.entry].append((pair, " ".join(words.split())))
    draw = random.Random(given.seed)  # noqa: S311 - no secret
    for entry, mentions in found.items():
        for pair, words in draw.sample(mentions, min(given.each, len(mentions))):
            print(f"{pair}\t{entry.group}{'!' * entry.slur}\t{words}")


if __name__ == "__main__":
    main()
