"""An audit of many synthetic pairs, step by step: seconds, processor seconds and peak memory.

Requests and answers are put together from words of the starter labels, some with a mention
of a group, some answers a refusal. Each step runs in a process of its own, as its rule does.
The classifier is trained first, and not counted.
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from random import Random

STEPS = ("read", "mentions", "conversations", "sides", "compare", "shown")
MENTIONS = ("Muslims", "Jews", "women", "black people", "gay men", "Mexicans", "old people")
REFUSAL = "I'm sorry, but I can't help with that."


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=170_000)
    parser.add_argument("--classifier", type=Path, help="one that was trained before")
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        run(given.step, given.folder)
        return
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        write_pairs(folder / "pairs.jsonl.gz", given.pairs)
        if given.classifier:
            (folder / "classifier.skops").symlink_to(given.classifier.resolve())
        else:
            train_classifier(folder / "classifier.skops")
        for step in STEPS:
            told = subprocess.run(
                [sys.executable, __file__, "--step", step, "--folder", place],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            took = json.loads(told)
            print(
                f"{step}: {took['s']:.0f} s, of which CPU {took['cpu_s']:.0f} s; "
                f"peak {took['gb']:.2f} GB",
                flush=True,
            )


def write_pairs(path: Path, number: int) -> None:
    """Write pairs in the layout of the Helpful and Harmless data."""
    from refusal_parity.csvfiles import read_csv
    from refusal_parity.labelling.starter import starter_files

    texts = read_csv(starter_files()[0], required=("response",))["response"].to_list()
    words = sorted({word for text in texts for word in text.split()})
    draw = Random(1)  # noqa: S311 - no secret

    def said(least: int, most: int) -> str:
        return " ".join(draw.choices(words, k=draw.randint(least, most)))

    with gzip.open(path, "wt", encoding="utf-8", compresslevel=1) as file:
        for _ in range(number):
            whom = f" {draw.choice(MENTIONS)} " if draw.random() < 0.2 else " "
            turns = f"\n\nHuman: {said(3, 12)}{whom}{said(3, 12)}"
            if draw.random() < 0.7:
                turns += f"\n\nAssistant: {said(20, 80)}\n\nHuman: {said(4, 20)}"
            sides = (
                f"{REFUSAL} {said(0, 30)}" if draw.random() < 0.2 else said(20, 120)
                for _ in range(2)
            )
            chosen, rejected = (f"{turns}\n\nAssistant: {side}" for side in sides)
            file.write(f"{json.dumps({'chosen': chosen, 'rejected': rejected})}\n")


def train_classifier(path: Path) -> None:
    """Train on the starter labels."""
    from refusal_parity.labelling.classifier import train
    from refusal_parity.labelling.gold import read_gold
    from refusal_parity.labelling.starter import gold_files
    from refusal_parity.labelling.storage import save

    save(train(read_gold(gold_files([], starter=True)), 1), path)


def run(step: str, folder: Path) -> None:
    """Run one step and print what it took."""
    started = time.perf_counter()
    {
        "read": read,
        "mentions": mentions,
        "conversations": conversations,
        "sides": sides,
        "compare": compare,
        "shown": shown,
    }[step](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    took = {
        "s": time.perf_counter() - started,
        "cpu_s": used.ru_utime + used.ru_stime,
        "gb": used.ru_maxrss / 1e6,
    }
    print(json.dumps(took))


def read(folder: Path) -> None:
    """As the rule `read_pairs`."""
    from refusal_parity.config import PairColumns
    from refusal_parity.preference.pairs import Ledger, read_pairs
    from refusal_parity.tables import Pairs, write_parts

    parts = read_pairs(
        folder / "pairs.jsonl.gz", layout="transcripts", columns=PairColumns(), ledger=Ledger()
    )
    write_parts(parts, Pairs, folder / "pairs.parquet")


def mentions(folder: Path) -> None:
    """As the rule `find_mentions`."""
    from refusal_parity.preference.lexicon import read_lexicon
    from refusal_parity.preference.mentions import find_mentions
    from refusal_parity.preference.pairs import PART
    from refusal_parity.tables import Mentions, Pairs, read_parts, write_parts

    lexicon = read_lexicon(Path("data/mentions.csv"))
    parts = read_parts(Pairs, folder / "pairs.parquet", PART)
    found = (find_mentions(part, lexicon) for part in parts)
    write_parts(found, Mentions, folder / "mentions.parquet")


def conversations(folder: Path) -> None:
    """As the rule `describe_conversations`."""
    from refusal_parity.preference.conversations import describe_conversations
    from refusal_parity.preference.harm import MASK, train_harm_model
    from refusal_parity.preference.lexicon import read_lexicon
    from refusal_parity.preference.pairs import PART
    from refusal_parity.tables import Conversations, Pairs, read_parts, write_table

    lexicon = read_lexicon(Path("data/mentions.csv"))
    harm = train_harm_model(lambda text: lexicon.masked(text, MASK))
    described = describe_conversations(read_parts(Pairs, folder / "pairs.parquet", PART), harm)
    write_table(described, Conversations, folder / "conversations.parquet")


def sides(folder: Path) -> None:
    """As the rule `label_sides`."""
    from refusal_parity.labelling.storage import load
    from refusal_parity.preference.pairs import PART
    from refusal_parity.preference.sides import label_sides
    from refusal_parity.tables import Pairs, Sides, read_parts, write_parts

    classifier = load(folder / "classifier.skops")
    parts = read_parts(Pairs, folder / "pairs.parquet", PART)
    labelled = (label_sides(part, classifier, abstain_below=0.35) for part in parts)
    write_parts(labelled, Sides, folder / "sides.parquet")


def compare(folder: Path) -> None:
    """As the rule `compare_groups`."""
    from refusal_parity.preference.audit import Audit
    from refusal_parity.preference.comparison import group_differences, group_measures
    from refusal_parity.preference.left_out import group_ledger, group_losses, pairs_read
    from refusal_parity.preference.pairs import PART
    from refusal_parity.tables import Conversations, Mentions, Pairs, Sides, read_parts, read_table

    sides = read_table(Sides, folder / "sides.parquet")
    mentions = read_table(Mentions, folder / "mentions.parquet")
    audit = Audit.of(
        sides,
        read_table(Conversations, folder / "conversations.parquet"),
        mentions,
        mentioned_in="request",
        alpha=0.05,
    )
    group_measures(audit)
    group_differences(audit)
    columns = ["pair", "exclusion", "requests", "opening"]
    read = pairs_read(read_parts(Pairs, folder / "pairs.parquet", PART, columns=columns))
    group_ledger(read, sides, mentions, mentioned_in="request")
    group_losses(read, mentions, mentioned_in="request", alpha=0.05)


def shown(folder: Path) -> None:
    """As the rule `choose_pairs`."""
    from refusal_parity.preference.pairs import PART
    from refusal_parity.preference.shown import About, shown_pairs
    from refusal_parity.tables import (
        Conversations,
        Mentions,
        Pairs,
        ShownPairs,
        Sides,
        read_parts,
        read_table,
        write_table,
    )

    about = About(
        sides=read_table(Sides, folder / "sides.parquet"),
        mentions=read_table(Mentions, folder / "mentions.parquet"),
        conversations=read_table(Conversations, folder / "conversations.parquet"),
        mentioned_in="request",
    )
    found = shown_pairs(read_parts(Pairs, folder / "pairs.parquet", PART), about)
    write_table(found, ShownPairs, folder / "shown_pairs.parquet")


if __name__ == "__main__":
    main()
