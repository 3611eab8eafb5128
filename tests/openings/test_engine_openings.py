"""What the engine tells of openings is what the weights say, and what draws show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.demo.rare import START, Speech, rare_marks, read_speech
from refusal_parity.demo.wording import read_rows
from refusal_parity.expansion import expand
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import OwnWeights, rendered_prompts
from refusal_parity.inference.requests import Request
from refusal_parity.inference.speaking import OwnSpeaker
from refusal_parity.inference.vllm_engine import start_weighing
from refusal_parity.openings.continuing import continue_openings
from refusal_parity.openings.measuring import measure
from refusal_parity.openings.pilot import read_pilot, trees
from refusal_parity.openings.strata import strata
from refusal_parity.openings.weighing import weigh
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import (
    Labels,
    LeafLabels,
    LeafResponses,
    Responses,
    filled,
    read_table,
)

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.openings.measuring import Propensities

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("vllm_engine")]

MODEL = "rare-guarded"
SORRY = [("I", "'m", " sorry"), ("I", "'m", " afraid"), ("Sorry",), ("Unfortunately",)]
PATHS = [*SORRY, ("I", "'m")]
"""Openings of refusals, and one that nearly always is."""


@pytest.fixture(scope="module")
def speech(root: Path) -> Speech:
    return read_speech(root / "data/models/phrases-rare.yaml")


@pytest.fixture(scope="module")
def prompts(root: Path) -> pl.DataFrame:
    """The rare study's prompts to every seventh name."""
    return expand(
        read_templates(root / "data/templates.csv"), read_names(root / "data/names-56.csv")[::7],
        {"a": None},
    )  # fmt: skip


@pytest.fixture(scope="module")
def heard(root: Path, prompts: pl.DataFrame) -> list[float]:
    """What the model hears in each prompt, in log odds."""
    names, templates = (read_rows(root / f"data/{one}.csv") for one in ("names-56", "templates"))
    marks = rare_marks(MODEL, names, templates)
    of = {
        row["template_id"]: added
        for row, added in zip(templates, marks.adjacent.values(), strict=True)
    }
    rows = prompts.select("name", "template_id").iter_rows()
    return [marks.names[name] + of[template] for name, template in rows]


def job(root: Path, **sampling: float) -> InferenceJob[VllmModel]:
    folder = root / "data/models" / MODEL
    return InferenceJob(
        key=MODEL,
        model=VllmModel(engine="vllm", source=FolderSource(path=str(folder)), prompt_mode="chat"),
        folder=folder,
        samples=1,
        sampling=SamplingConfig(max_tokens=8, **sampling),  # type: ignore[arg-type]
    )


def written(
    prompts: pl.DataFrame, said: list[str], refuses: list[bool]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables of responses and labels, of one response to each row of prompts."""
    rows = prompts.select("prompt_id").with_columns(
        model=pl.lit(MODEL),
        sample=pl.int_range(pl.len(), dtype=pl.Int32).over("prompt_id"),
        response=pl.Series(said),
        label=pl.Series(["refusal" if each else "answer" for each in refuses]),
        status=pl.lit("ok"),
        truncated=pl.lit(value=False),
        filtered=pl.lit(value=False),
    )
    return tuple(  # type: ignore[return-value]
        filled(rows, schema, where="test") for schema in (Responses, Labels)
    )


def spoken(speech: Speech, added: float, chance: np.random.Generator) -> tuple[str, bool]:
    """A response drawn from the planted truth, and whether it refuses."""
    text, piece, refuses = "", START, False
    while piece in speech.after:
        following = speech.chances(piece, added)
        piece = str(chance.choice(list(following), p=list(following.values())))
        text, refuses = text + piece, refuses or piece in speech.refusals
    return text, refuses


def exact(
    speech: Speech, path: tuple[str, ...], added: float, temperature: float, top_p: float
) -> float:
    """Probability of an opening, by the planted truth; top_p as it is defined."""
    found, last = 1.0, START
    for piece in path:
        raw = speech.chances(last, added)
        total = math.fsum(each ** (1 / temperature) for each in raw.values())
        cooled = {key: each ** (1 / temperature) / total for key, each in raw.items()}
        kept: dict[str, float] = {}
        for key in sorted(cooled, key=cooled.__getitem__, reverse=True):
            if sum(kept.values()) < top_p:
                kept[key] = cooled[key]
        found *= kept.get(piece, 0.0) / sum(kept.values())
        last = piece
    return found


@pytest.mark.parametrize(("temperature", "top_p"), [(1.0, 1.0), (1.3, 0.97)])
def test_probabilities_are_those_of_the_weights(
    root: Path,
    tmp_path: Path,
    speech: Speech,
    prompts: pl.DataFrame,
    heard: list[float],
    temperature: float,
    top_p: float,
) -> None:
    chance = np.random.default_rng(3)
    # A pilot with so many refusals that every opening is learnt in every fold.
    pairs = [spoken(speech, added + 4.5, chance) for added in heard]
    this = job(root, temperature=temperature, top_p=top_p)
    speaker = OwnSpeaker.of(MODEL, this.model, this.folder)
    pilot = read_pilot(
        prompts, *written(prompts, [a for a, _ in pairs], [b for _, b in pairs]), speaker
    )
    openings = trees(pilot, speaker)
    assert set(openings["text"]) <= {"".join(path) for path in PATHS}
    some = prompts[::9]
    lines: list[str] = []
    found = measure(this, some, openings, pilot, tmp_path, say=lines.append)
    token = speaker.raw.get_vocab()
    named = {"-".join(str(token[each]) for each in path): path for path in PATHS}
    told = {
        (prompt_id, opening): (before, drawn)
        for _, prompt_id, opening, before, drawn, *_ in found.probabilities.iter_rows()
    }
    leaves = set(openings.filter(fold=0)["opening"])
    assert len(leaves) >= 3
    of_prompt = dict(zip(prompts["prompt_id"], heard, strict=True))
    for prompt_id in some["prompt_id"]:
        added = of_prompt[prompt_id]
        for leaf in leaves:
            path = named[leaf]
            before, drawn = told[prompt_id, leaf]
            assert before == pytest.approx(exact(speech, path, added, temperature, 1.0), rel=1e-4)
            want = exact(speech, path, added, temperature, top_p)
            assert drawn == pytest.approx(want, rel=1e-4, abs=1e-9)
    # A second run starts no engine and asks nothing.
    again = measure(this, some, openings, pilot, tmp_path, say=lines.append)
    assert again.metadata["asked"] == 0
    assert again.probabilities.equals(found.probabilities)
    assert again.propensities.equals(found.propensities)
    assert sum("starting the engine" in line for line in lines) == 1


def weighed(
    job: InferenceJob[VllmModel],
    prompts: pl.DataFrame,
    openings: pl.DataFrame,
    found: Propensities,
    speaker: OwnSpeaker,
    folder: Path,
    engine: Any,
    starts: tuple[str, ...],
) -> pl.DataFrame:
    """Draw responses from openings, label them by the truth, and weigh."""
    tables = openings, found.probabilities, found.propensities
    leaves = strata(*tables, longest=8)
    output = folder / "leaf_responses.parquet"
    continue_openings(
        *(job, prompts, leaves, speaker.raw.decode, output),
        say=lambda _: None,
        source=OwnWeights(lambda: engine, job),
    )
    said = read_table(LeafResponses, output)
    refuses = pl.any_horizontal(pl.col("response").str.starts_with(start) for start in starts)
    labels = filled(
        said.with_columns(
            label=pl.when(refuses).then(pl.lit("refusal")).otherwise(pl.lit("answer")),
            filtered=pl.lit(value=False),
        ),
        LeafLabels,
        where="test",
    )
    return weigh(*tables, labels, longest=8)


def test_openings_are_drawn_on_as_the_weights_say(
    root: Path, tmp_path: Path, speech: Speech, prompts: pl.DataFrame, heard: list[float]
) -> None:
    this, each = job(root), 40
    speaker = OwnSpeaker.of(MODEL, this.model, this.folder)
    some = prompts[::20]
    token = speaker.raw.get_vocab()
    path = [token["I"], token["'m"]]
    leaves = some.select(
        "prompt_id",
        opening=pl.lit("-".join(map(str, path))),
        token_ids=pl.lit(path, pl.List(pl.Int64)),
        expected=pl.lit(float(each)),
        weight=pl.lit(0.01),
    )
    output = tmp_path / "r.parquet"
    continue_openings(this, some, leaves, speaker.raw.decode, output, say=lambda _: None)
    said = read_table(LeafResponses, output)
    assert len(said) == each * len(some)
    assert said["response"].str.starts_with("I'm ").all()
    # What comes next: the planted probabilities, added up over prompts.
    following = [speech.chances("'m", added) for added in heard[::20]]
    seen, expected = [], []
    for piece in sorted(following[0]):
        seen.append(int(said["response"].str.starts_with("I'm" + piece).sum()))
        expected.append(each * math.fsum(chances[piece] for chances in following))
    assert sum(seen) == len(said)
    often = [at for at, number in enumerate(expected) if number > 3]
    square = sum((seen[at] - expected[at]) ** 2 / expected[at] for at in often)
    assert len(often) > 1
    assert stats.chi2.sf(square, len(often) - 1) > 1e-4


def test_weighed_rates_are_those_of_draws(
    root: Path, tmp_path: Path, speech: Speech, prompts: pl.DataFrame, heard: list[float]
) -> None:
    chance = np.random.default_rng(5)
    pairs = [spoken(speech, added + 2.0, chance) for added in heard]
    this, each = job(root), 150
    speaker = OwnSpeaker.of(MODEL, this.model, this.folder)
    openings = trees(
        read_pilot(
            prompts, *written(prompts, [a for a, _ in pairs], [b for _, b in pairs]), speaker
        ),
        speaker,
    )
    some = prompts[::20]
    # It draws, too.
    engine: Any = start_weighing(this)
    ids = rendered_prompts(engine, some.select("prompt", "system_prompt"), this)["token_ids"]
    repeated = some[[at // each for at in range(len(some) * each)]]
    texts = dict.fromkeys(range(len(repeated)), "")
    for drawn in engine.generate([Request(at, ids[at // each].to_list(), seed=at) for at in texts]):
        texts[drawn.index] = drawn.text or ""
    starts = tuple("".join(path) for path in SORRY)
    refuses = [text.startswith(starts) for text in texts.values()]
    draws = read_pilot(some, *written(repeated, list(texts.values()), refuses), speaker)
    found = measure(this, some, openings, draws, tmp_path, say=lambda _: None, engine=engine)
    truth = np.array([speech.refusal(added) for added in heard[::20]])
    table = weighed(this, some, openings, found, speaker, tmp_path, engine, starts)
    refused = found.propensities["drawn_refusals"].to_numpy()
    assert stats.chi2.sf(((refused - truth * each) ** 2 / (truth * each)).sum(), len(some)) > 1e-4
    rate, error = (table[key].to_numpy() for key in ("weighed_rate", "weighed_rate_error"))
    assert table["continued"].sum() > 0
    whole = math.sqrt((error**2).sum())
    assert abs((rate - truth).sum()) < 3.5 * whole
    # A fifth of the noise of the same draws, or less.
    assert whole < math.sqrt((truth * (1 - truth) / each).sum()) / math.sqrt(5)
    assert (np.abs(rate - truth) <= 4.5 * error + 0.01 * truth).all()
    inside, expected = (found.metadata[f"draws_inside{key}"] for key in ("", "_expected"))
    assert abs(inside - expected) < 3.5 * found.metadata["draws_inside_error"]
