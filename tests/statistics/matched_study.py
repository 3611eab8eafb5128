"""Studies of matched sets whose law is planted: effects of name, mention and phrasing apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from refusal_parity.config import AnalysisConfig
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.tables import Labels, Prompts, conform, empty

if TYPE_CHECKING:
    import numpy.typing as npt

GROUPS: Final = ("north", "south", "east")
WORDINGS: Final = ("name", "adjacent", "mention")
FORMS: Final = ("completion", "question", "instruction")


@dataclass(frozen=True, kw_only=True)
class Law:
    """What moves the rate of refusals, in rates; the first level of each factor has 0.

    Attributes:
        base: rate of the first levels.
        group: of the name's group.
        wording: of the wording, for every group.
        form: of the form.
        both: what a wording adds for a group beyond the two.
        name: standard deviation between names of a group.
        text: standard deviation between matched sets.
        name_wording: between names in what a wording does.
        text_wording: between sets in what a wording does.
        text_group: between sets in what a group does.
    """

    base: float = 0.2
    group: tuple[float, ...] = (0.0, 0.0, 0.0)
    wording: tuple[float, ...] = (0.0, 0.0, 0.0)
    form: tuple[float, ...] = (0.0, 0.0, 0.0)
    both: tuple[tuple[float, ...], ...] = ((0.0,) * 3,) * 3
    name: float = 0.04
    text: float = 0.06
    name_wording: float = 0.02
    text_wording: float = 0.03
    text_group: float = 0.02


PLANTED: Final = Law(
    group=(0.0, 0.12, 0.02),
    wording=(0.0, 0.04, 0.16),
    form=(0.0, -0.06, 0.08),
    both=((0.0, 0.0, 0.0), (0.0, 0.03, 0.2), (0.0, 0.0, 0.0)),
)
"""Each of the effects is there, and none is the other's."""

EVEN: Final = Law(base=0.25, text_group=0.0)
"""Names and sets vary, and nothing else moves the rate."""


def prompts(*, names: int = 10, sets: int = 16) -> pl.DataFrame:
    """Each set in nine templates: three wordings in three forms."""
    rows = [
        {
            "template_id": f"s{at:02}-{wording}-{form}",
            "family": "none",
            "template": f"[NAME] {wording} {form} {at}",
            "set": f"s{at:02}",
            "wording": wording,
            "form": form,
            "topic": "food" if at % 2 else "work",
            "length": float(at + 3 * FORMS.index(form)),
        }
        for at, wording, form in product(range(sets), WORDINGS, FORMS)
    ]
    people = [
        {
            "name_id": f"{group}{at}",
            "name": f"{group}{at}",
            "group": group,
            "gender": "woman" if at % 2 else "man",
            "origin": "coast" if at % 3 else "hills",
            "births": float(at + 2 * GROUPS.index(group)),
        }
        for group in GROUPS
        for at in range(names)
    ]
    every = (
        pl.DataFrame(rows)
        .join(pl.DataFrame(people), how="cross")
        .with_columns(
            prompt_id=pl.concat_str("template_id", "name_id", separator="/"),
            commonness=pl.lit(None, pl.String),
            arm=pl.lit("plain"),
            system_prompt=pl.lit(None, pl.String),
            prompt=pl.col("template").str.replace("[NAME]", pl.col("name"), literal=True),
        )
    )
    return conform(every, Prompts, where="prompts")


def rates(table: pl.DataFrame, law: Law, random: np.random.Generator) -> npt.NDArray[np.float64]:
    """The rate of each prompt, with names and sets drawn anew."""

    def codes(column: str, levels: tuple[str, ...]) -> npt.NDArray[np.intp]:
        return np.array([levels.index(each) for each in table[column]], dtype=np.intp)

    def drawn(columns: list[str], deviation: float) -> npt.NDArray[np.float64]:
        keys = table.select(pl.concat_str(columns, separator="/").alias("key"))["key"].to_numpy()
        _, code = np.unique(keys.astype(np.str_), return_inverse=True)
        return np.asarray(random.normal(0, deviation, code.max() + 1)[code], dtype=np.float64)

    group, wording = codes("group", GROUPS), codes("wording", WORDINGS)
    found = (
        law.base
        + np.array(law.group)[group]
        + np.array(law.wording)[wording]
        + np.array(law.form)[codes("form", FORMS)]
        + np.array(law.both)[group, wording]
        + drawn(["name_id"], law.name)
        + drawn(["set"], law.text)
        + drawn(["name_id", "wording"], law.name_wording)
        + drawn(["set", "wording"], law.text_wording)
        + drawn(["set", "group"], law.text_group)
    )
    return np.clip(found, 0.0, 1.0)


def labelled(
    table: pl.DataFrame, law: Law, *, seed: int, samples: int = 1, model: str = "m"
) -> pl.DataFrame:
    """Responses of a model that follows the law, as a table of Labels."""
    random = np.random.default_rng(seed)
    rate = rates(table, law, random)
    refused = random.random((samples, len(table))) < rate
    rows = pl.concat(
        table.select(
            "prompt_id",
            model=pl.lit(model),
            sample=pl.lit(sample, pl.Int32),
            label=pl.Series(np.where(hits, "refusal", "answer")),
            truncated=pl.lit(value=False),
            filtered=pl.lit(value=False),
        )
        for sample, hits in enumerate(refused)
    )
    both = pl.concat([empty(Labels), rows], how="diagonal_relaxed")
    return conform(both, Labels, where="labels")


def config(**changes: object) -> AnalysisConfig:
    """A study of name, wording and form."""
    return AnalysisConfig.model_validate(
        {
            "outcomes": ["refusal"],
            "dimensions": {
                "group": {"reference": "north"},
                "wording": {"reference": "name"},
                "form": {"reference": "completion"},
            },
            "permutations": 999,
            "bootstraps": 199,
        }
        | changes
    )


def observed(
    law: Law, *, seed: int, names: int = 10, sets: int = 16, analysis: AnalysisConfig | None = None
) -> pl.DataFrame:
    """Observations of a study that follows the law."""
    table = prompts(names=names, sets=sets)
    kept = analysis or config(covariates=["births", "length"])
    return observe(table, labelled(table, law, seed=seed), kept)
