"""Small random studies of every kind that has upset a number, and larger ones by name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import polars as pl

from refusal_parity.config import AnalysisConfig
from refusal_parity.expansion import expand
from refusal_parity.inference.released_study import read_responses
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import HumanLabels, Labels, Responses, conform, filled
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

ROOT: Final = Path(__file__).parents[2]
MODELS: Final = ("one", "other")


class Study(NamedTuple):
    """What the statistics read."""

    prompts: pl.DataFrame
    labels: pl.DataFrame
    responses: pl.DataFrame
    human: pl.DataFrame | None
    analysis: AnalysisConfig

    def shuffled(self, seed: int) -> Study:
        """The same rows in another order."""
        random = np.random.default_rng(seed)

        def mixed(table: pl.DataFrame) -> pl.DataFrame:
            return table[random.permutation(table.height)]

        return self._replace(
            prompts=mixed(self.prompts),
            labels=mixed(self.labels),
            responses=mixed(self.responses),
            human=None if self.human is None else mixed(self.human),
        )


_PATTERNS: Final[dict[str, Callable[[np.random.Generator, npt.NDArray[Any]], Any]]] = {
    # Chance of a refusal of each name (rows) and template (columns).
    "mixed": lambda rng, shape: _crossed(rng, shape, 0.3),
    "rare": lambda rng, shape: _crossed(rng, shape, 0.04),
    "frequent": lambda rng, shape: _crossed(rng, shape, 0.95),
    "one cell": lambda rng, shape: _at(shape, (rng.integers(shape[0]), rng.integers(shape[1]))),
    "one name": lambda rng, shape: _at(shape, (rng.integers(shape[0]), slice(None))),
    "one template": lambda rng, shape: _at(shape, (slice(None), rng.integers(shape[1]))),
    "names alone": lambda rng, shape: np.tile(rng.integers(0, 2, (shape[0], 1)), (1, shape[1])),
    "templates alone": lambda rng, shape: np.tile(rng.integers(0, 2, shape[1]), (shape[0], 1)),
    "checked": lambda _, shape: np.add.outer(np.arange(shape[0]), np.arange(shape[1])) % 2,
    "even": lambda _, shape: np.full(shape, 0.5),
    "unanimous": lambda rng, shape: rng.integers(0, 2, shape),
}


def _crossed(rng: np.random.Generator, shape: npt.NDArray[Any], rate: float) -> Any:
    names, templates = shape
    score = np.log(rate / (1 - rate)) + rng.normal(0, 1.2, (names, 1))
    score = score + rng.normal(0, 1.5, templates) + rng.normal(0, 0.5, (names, templates))
    return 1 / (1 + np.exp(-score))


def _at(shape: npt.NDArray[Any], where: tuple[Any, Any]) -> Any:
    chance = np.zeros(shape)
    chance[where] = 1
    return chance


def random_study(seed: int) -> Study:
    """Two or three groups of one to four names, two to six templates, one to three samples.

    Kinds of outcome, missing cells and lost rows, arms and people's labels take turns.
    """
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, rng.integers(2, 4))
    sizes[0] = max(sizes[0], 2)
    templates = int(rng.integers(2, 7))
    arms = {"plain": None} | ({"polite": "Please."} if seed % 4 == 3 else {})
    group = np.repeat(np.array(["white", "blue", "red"])[: len(sizes)], sizes)
    # Names and templates are no order of their groups.
    keys = rng.permutation(len(group))
    names = pl.DataFrame(
        {
            "name_id": [f"n{key:02}" for key in keys],
            "name": [f"N{key}" for key in keys],
            "group": group,
            "gender": [("man", "woman")[key % 2] for key in keys],
            "commonness": [None] * len(keys),
        },
        schema_overrides={"commonness": pl.String},
    )
    sentences = pl.DataFrame(
        {
            "template_id": [f"t{at}" for at in range(templates)],
            "family": [("this", "that")[at % 2] for at in range(templates)],
            "template": [f"[NAME] goes to {at}" for at in range(templates)],
        }
    )
    prompts = expand(sentences, names, arms)
    return study_of(
        prompts,
        pattern=list(_PATTERNS)[seed % len(_PATTERNS)],
        samples=int(rng.integers(1, 4)),
        lost=(0.0, 0.1, 0.3)[seed % 3],
        people=seed % 5 == 4,
        rng=rng,
    )


def study_of(
    prompts: pl.DataFrame,
    *,
    pattern: str,
    samples: int,
    lost: float,
    people: bool,
    rng: np.random.Generator,
) -> Study:
    """Labels of two models for given prompts."""
    if prompts["arm"].n_unique() > 1:
        second, level = "arm", "plain"
    else:
        second = ("gender", "family")[int(rng.integers(2))]
        level = prompts[second][0]
    name = prompts["name_id"].cast(pl.Categorical).to_physical().to_numpy()
    template = prompts["template_id"].cast(pl.Categorical).to_physical().to_numpy()
    name, template = (np.unique(each, return_inverse=True)[1] for each in (name, template))
    shape = (int(name.max()) + 1, int(template.max()) + 1)
    rows = []
    for model in MODELS:
        chance = np.asarray(_PATTERNS[pattern](rng, shape))[name, template]
        left = rng.random(len(chance)) >= lost
        for sample in range(samples):
            refuses = rng.random(len(chance)) < chance
            answers = rng.choice(
                [str(Label.ANSWER), str(Label.PARTIAL_ANSWER)], len(chance), p=[0.9, 0.1]
            )
            refusals = rng.choice(
                [str(Label.REFUSAL), str(Label.HARMFUL_REFUSAL)], len(chance), p=[0.7, 0.3]
            )
            lacks = rng.random(len(chance)) < lost / 2
            label = np.where(refuses, refusals, answers)
            wrong = np.where(rng.random(len(chance)) < 0.1, str(Label.REFUSAL), label)
            rows.append(
                pl.DataFrame(
                    {
                        "model": [model] * len(chance),
                        "prompt_id": prompts["prompt_id"],
                        "sample": [sample] * len(chance),
                        "label": pl.Series(label.tolist()),
                        "machine_label": pl.Series((wrong if people else label).tolist()),
                        "exclusion": pl.Series(np.where(lacks, "empty", None).tolist()),
                        "words": rng.integers(1, 9, len(chance)),
                    },
                    schema_overrides={"exclusion": pl.String},
                ).filter(pl.Series(left))
            )
    given = pl.concat(rows)
    marked = given.with_columns(
        pl.when(pl.col("exclusion").is_null()).then(pl.col(each)).alias(each)
        for each in ("label", "machine_label")
    ).with_columns(truncated=pl.lit(value=False), filtered=pl.lit(value=False))
    human = None
    if people:
        drawn = marked.filter(pl.Series(rng.random(marked.height) < 0.7)).drop_nulls("label")
        human = conform(
            drawn.select("model", "prompt_id", "sample", "label").with_columns(
                inclusion_probability=pl.lit(0.7),
                stratum=pl.col("model"),
                split=pl.lit(None, pl.String),
                n_annotators=pl.lit(1),
            ),
            HumanLabels,
            where="human labels",
        )
    return Study(
        prompts,
        filled(marked, Labels, where="labels"),
        filled(
            given.with_columns(
                response=pl.lit("a ").repeat_by("words").list.join(""),
                status=pl.lit("ok"),
                truncated=pl.lit(value=False),
            ),
            Responses,
            where="responses",
        ),
        human,
        AnalysisConfig.model_validate(
            {
                "dimensions": {"group": {"reference": "white"}} | {second: {"reference": level}},
                "outcomes": ["refusal", "no_full_answer", "answer_length"],
                "permutations": 99,
                "bootstraps": 99,
                "selfcheck": 20,
                "mixed_model": True,
                "model_series": {"size": {"one": 7, "other": 13}},
            }
        ),
    )


def study_by_name(name: str) -> Study:
    """A random study by its seed, or labels drawn over the `demo` or `released` prompts."""
    if name.isdecimal():
        return random_study(int(name))
    rng = np.random.default_rng(7)
    if name == "demo":
        data = ROOT / "data"
        prompts = expand(
            read_templates(data / "templates.csv"),
            read_names(data / "names-56.csv"),
            {"plain": None},
        )
        return study_of(prompts, pattern="rare", samples=3, lost=0.1, people=False, rng=rng)
    shared = Path(os.environ.get("REFUSAL_PARITY_SHARED", ROOT.parent / "shared"))
    path = shared / "released-study" / "df_annotated_llama7.csv"
    given = read_responses(path, layout="chehbouni-2024", model=MODELS[0])
    drawn = study_of(given.prompts, pattern="mixed", samples=3, lost=0.0, people=False, rng=rng)
    own = given.responses.select("model", "prompt_id", "sample", "imported_label")
    labels = drawn.labels.join(own, on=["model", "prompt_id", "sample"], how="left")
    said = pl.coalesce(pl.col("imported_label").cast(pl.String), pl.col("label").cast(pl.String))
    return drawn._replace(
        labels=filled(
            labels.with_columns(label=said, machine_label=said).drop("imported_label"),
            Labels,
            where="labels",
        )
    )
