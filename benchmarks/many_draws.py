"""A great many draws of SmolLM2, kept as counts of how they open (`smollm2-draws.csv`).

`pilot FILE`: ordinary draws of prompts to half of the templates, by the workflow's engine, for a
tree to learn from.

`draw FILE`: a thousand draws each of prompts to the other half, by transformers. Draws that
begin alike share their computation: how many of them go on with each token is drawn from the
multinomial law of its probabilities, which is what single draws do. A stock opening makes a
refusal, so that no draw is followed further than to where its opening is settled.

`against_draws.py` holds weighed openings against them.
"""

from __future__ import annotations

import argparse
import copy
import csv
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from opening_draws import ROOT, SMOLLM2, SYSTEM, job_of

from refusal_parity.expansion import expand
from refusal_parity.inference.requests import Request
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.inference.vllm_engine import start_engine
from refusal_parity.labelling.keywords import REFUSAL_PREFIXES, is_refusal_by_keyword
from refusal_parity.openings.tree import MOST_TOKENS
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.spelling import reading

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTS: Final = Path(__file__).with_name("smollm2-draws.csv")
TEMPERATURE: Final = 0.7
DRAWS: Final = 1000
PILOT: Final = {"templates": (14, 8), "near-unsafe": (4, 20)}
TEST: Final = {"templates": (8, DRAWS), "near-unsafe": (4, DRAWS)}
"""Names for each template of a file in data/, and draws of each prompt."""

STARTS: Final = [reading(each) for each in REFUSAL_PREFIXES]


@dataclass(frozen=True)
class Opened:
    """So many draws of a prompt that open alike.

    Attributes:
        tokens: as far as it takes to see whether they refuse.
        refuses: whether they do.
        draws: how many.
    """

    tokens: tuple[int, ...]
    refuses: bool
    draws: int


def prompts_of(part: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of prompts of the pilot, to every second template, or of the test, to the others.

    Returns:
        Each with how often it is drawn; every template has names of its own.
    """
    names = read_names(ROOT / "data/names-56.csv")
    for file, (count, draws) in (PILOT if part == "pilot" else TEST).items():
        every = expand(read_templates(ROOT / f"data/{file}.csv"), names, {"study": SYSTEM})
        apart = len(names) // count
        for at, key in enumerate(sorted(set(every["template_id"]))[part == "test" :: 2]):
            rows = every.filter(template_id=key).sort("name")
            start = 5 * at if part == "pilot" else -5 * (at + 1)
            chosen = sorted((start + apart * number) % len(names) for number in range(count))
            yield from ((draws, rows.row(number, named=True)) for number in chosen)


def is_settled(text: str) -> bool | None:
    """Whether a response that begins so refuses; null where that is open."""
    if is_refusal_by_keyword(pl.Series([text]))[0]:
        return True
    begun = reading(text.lstrip())
    return None if any(start.startswith(begun) for start in STARTS) else False


def draw(
    model: Any, tokenizer: Any, ids: list[int], draws: int, random: np.random.Generator
) -> list[Opened]:
    """Many draws of one prompt."""
    import torch

    found: list[Opened] = []
    with torch.no_grad():
        kept = model(torch.tensor([ids[:-1]]), use_cache=True).past_key_values
        going: dict[tuple[int, ...], int] = {(): draws}
        while going:
            cache = copy.deepcopy(kept)
            cache.batch_repeat_interleave(len(going))
            begun = torch.tensor([[ids[-1], *opening] for opening in going])
            logits = model(begun, past_key_values=cache).logits[:, -1].double()
            chances = torch.softmax(logits / TEMPERATURE, dim=-1).numpy()
            longer: dict[tuple[int, ...], int] = {}
            for (opening, several), chance in zip(going.items(), chances, strict=True):
                counts = random.multinomial(several, chance / chance.sum())
                for token in np.flatnonzero(counts):
                    tokens = (*opening, int(token))
                    text = tokenizer.decode(list(tokens), skip_special_tokens=True)
                    refuses = is_settled(text)
                    if refuses is None and token != tokenizer.eos_token_id:
                        longer[tokens] = int(counts[token])
                    else:
                        found.append(Opened(tokens, bool(refuses), int(counts[token])))
            going = longer
    return found


def merged(opened: list[Opened], refusals: list[Opened]) -> list[Opened]:
    """The same, answers cut to where no refusal begins so, and counted together."""
    begun = {one.tokens[:at] for one in refusals for at in range(len(one.tokens) + 1)}
    counts: Counter[tuple[tuple[int, ...], bool]] = Counter()
    for one in opened:
        kept = next(
            at for at in range(len(one.tokens), -1, -1) if not at or one.tokens[:at] in begun
        )
        counts[one.tokens if one.refuses else one.tokens[:kept], one.refuses] += one.draws
    return [Opened(tokens, refuses, draws) for (tokens, refuses), draws in sorted(counts.items())]


def write_draws(path: Path) -> None:
    """Draw all prompts of the test; go on where a stopped run was."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    job = job_of(SMOLLM2, temperature=TEMPERATURE, max_tokens=8)
    speaker = OwnSpeaker.of(job.key, job.model, job.folder)
    model = AutoModelForCausalLM.from_pretrained(SMOLLM2, dtype=torch.float32)
    there = read_counts(path, "test") if path.is_file() else {}
    for at, (draws, row) in enumerate(prompts_of("test")):
        if (row["template_id"], row["name"]) in there:
            continue
        (sent,) = speaker.sent([(row["prompt"], row["system_prompt"])])
        random = np.random.default_rng([1, at])
        opened = draw(model, speaker.raw, sent.token_ids, draws, random)
        # Answers are of no further use here: all are one.
        write_rows(path, "test", row, merged(opened, []))
        print(row["template_id"], row["name"], sum(one.draws for one in opened if one.refuses))


def write_pilot(path: Path) -> None:
    """Draw all prompts of the pilot."""
    job = job_of(SMOLLM2, temperature=TEMPERATURE, max_tokens=6)
    speaker = OwnSpeaker.of(job.key, job.model, job.folder)
    engine = start_engine(job)
    opened = []
    for at, (draws, row) in enumerate(prompts_of("pilot")):
        (sent,) = speaker.sent([(row["prompt"], row["system_prompt"])])
        asked = [Request(n, sent.token_ids, seed=1000 * at + n) for n in range(draws)]
        texts = [one.text or "" for one in engine.generate(asked)]
        refuses = is_refusal_by_keyword(pl.Series(texts))
        said = speaker.said([(sent, text) for text in texts])
        ends = zip(said, refuses, strict=True)
        opened.append((row, [Opened(tuple(ids[:MOST_TOKENS]), each, 1) for ids, each in ends]))
    refusals = [one for _, those in opened for one in those if one.refuses]
    for row, those in opened:
        write_rows(path, "pilot", row, merged(those, refusals))


def write_rows(path: Path, part: str, row: dict[str, Any], opened: list[Opened]) -> None:
    """Add a prompt's counts to a file."""
    new = not path.is_file()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if new:
            writer.writerow(["part", "template_id", "name", "tokens", "refuses", "draws"])
        writer.writerows(
            [part, row["template_id"], row["name"], " ".join(map(str, one.tokens)),
             int(one.refuses), one.draws]
            for one in opened
        )  # fmt: skip


def read_counts(path: Path, part: str) -> dict[tuple[str, str], list[Opened]]:
    """Draws by template and name."""
    found: dict[tuple[str, str], list[Opened]] = {}
    with path.open("r", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["part"] == part:
                tokens = tuple(map(int, row["tokens"].split()))
                one = Opened(tokens, row["refuses"] == "1", int(row["draws"]))
                found.setdefault((row["template_id"], row["name"]), []).append(one)
    return found


def main() -> None:
    """Draw the pilot, or the test."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=["pilot", "draw"])
    parser.add_argument("file", type=Path, nargs="?", default=COUNTS)
    given = parser.parse_args()
    (write_pilot if given.part == "pilot" else write_draws)(given.file)


if __name__ == "__main__":
    main()
