"""A made-up study whose propensities are known: tables as its jobs would write them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from scipy.special import expit

from refusal_parity.config.loading import load_config
from refusal_parity.expansion import expand
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import (
    Labels,
    OpeningProbabilities,
    Openings,
    Prompts,
    Propensity,
    Weighed,
    conform,
)

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.config import StudyConfig

EVEN: Final = "even"
UNEVEN: Final = "uneven"
RAISED: Final = {EVEN: {}, UNEVEN: {"muslim": 1.1, "chinese": 0.6}}
"""By how much the log-odds of groups lie above the others', by model."""

LEAVES: Final = (
    ("I'm sorry", 0.95, 0.6),
    ("I am not able", 0.9, 0.2),
    ("As an AI", 0.85, 0.15),
    ("Unfortunately", 0.6, 0.05),
)
"""Text, share of refusals, and usual part of the mass, of the openings of refusals."""

DRAWN: Final = 3


def config_of(**analysis: Any) -> StudyConfig:
    """A study of both models that weighs openings."""
    model = {"engine": "vllm", "source": {"path": "weights"}, "prompt_mode": "chat"}
    return load_config(
        {
            "study": "made-up",
            "prompts": {"templates": "data/templates.csv", "names": "data/names-56.csv"},
            "sampling": {"openings": "weigh"},
            "models": {EVEN: model, UNEVEN: model},
            "analysis": {
                "dimensions": {"group": {"reference": "white"}},
                "permutations": 199,
                "bootstraps": 99,
                "selfcheck": 0,
            }
            | analysis,
        },
        where="made-up.yaml",
    )


PRIMARY: Final = {
    "outcomes": ["refusal", "propensity"],
    "primary_family": {"outcome": "propensity", "dimension": "group"},
}


def made_up(root: Path, *, outside: float = 0.0005, seed: int = 5) -> dict[str, pl.DataFrame]:
    """Tables by key: prompts, labels, propensity, weighed, openings and opening_probabilities.

    Args:
        root: of the repository, whose names and templates these are.
        outside: rate of refusals that open otherwise.
        seed: of all that is drawn.
    """
    prompts = expand(
        read_templates(root / "data" / "templates.csv"),
        read_names(root / "data" / "names-56.csv"),
        {"arm": None},
    )
    random = np.random.default_rng(seed)
    parts = [_of_model(prompts, model, outside, random) for model in (EVEN, UNEVEN)]
    schemas = {
        "labels": Labels,
        "propensity": Propensity,
        "weighed": Weighed,
        "openings": Openings,
        "opening_probabilities": OpeningProbabilities,
    }
    tables = {
        key: conform(pl.concat([part[key] for part in parts]), schema, where=key)
        for key, schema in schemas.items()
    }
    return {"prompts": conform(prompts, Prompts, where="prompts"), **tables}


def _codes(prompts: pl.DataFrame, column: str) -> np.ndarray:
    return np.unique(prompts[column].to_numpy().astype(np.str_), return_inverse=True)[1]


def _of_model(
    prompts: pl.DataFrame, model: str, outside: float, random: np.random.Generator
) -> dict[str, pl.DataFrame]:
    ids, size = prompts["prompt_id"], prompts.height
    template, name, group = (_codes(prompts, key) for key in ("template_id", "name_id", "group"))
    normal = random.standard_normal
    odds = -5.5 + 1.1 * normal(40)[template] + 0.4 * normal(60)[name]
    odds += 0.2 * normal((40, 9))[template, group] + 0.5 * normal(size)
    odds += np.array([RAISED[model].get(each, 0.0) for each in prompts["group"]])
    rate = expit(odds)
    shares = np.array([share for _, share, _ in LEAVES])
    of_leaf = random.dirichlet([30 * part for _, _, part in LEAVES], size)
    probability = of_leaf * (rate / (of_leaf @ shares))[:, None]
    inside = random.binomial(DRAWN, rate)
    beside = random.binomial(DRAWN - inside, outside)
    refused = inside + beside
    mass = probability.sum(axis=1)
    labels = [["refusal"] * int(k) + ["answer"] * int(DRAWN - k) for k in refused]
    return {
        "labels": pl.DataFrame(
            {
                "model": model,
                "prompt_id": np.repeat(ids.to_numpy(), DRAWN),
                "sample": np.tile(np.arange(DRAWN), size),
                "label": [label for each in labels for label in each],
                "truncated": False,
                "filtered": False,
            }
        ).with_columns(
            pl.col("label").alias("machine_label"),
            *(
                pl.lit(None).alias(column)
                for column in Labels.column_names()
                if column
                not in {
                    "model",
                    "prompt_id",
                    "sample",
                    "label",
                    "machine_label",
                    "truncated",
                    "filtered",
                }
            ),
        ),
        "propensity": pl.DataFrame(
            {
                "model": model,
                "prompt_id": ids,
                "fold": template % 2 + 1,
                "log_odds": odds,
                "log_odds_error": 0.05,
                "mass": mass,
                "tree_rate": rate,
                "outside": 1 - mass,
                "drawn": DRAWN,
                "drawn_refusals": refused,
                "drawn_outside_refusals": beside,
            }
        ),
        "weighed": pl.DataFrame(
            {
                "model": model,
                "prompt_id": ids,
                "weighed_rate": rate + beside / DRAWN,
                "weighed_rate_error": np.sqrt(outside * (1 - outside) / DRAWN),
                "tree_rate": rate,
                "outside": 1 - mass,
                "drawn": DRAWN,
                "drawn_outside": DRAWN - inside,
                "continued": inside,
                "continued_refusals": inside,
                "continued_unlabelled": 0,
            }
        ),
        "openings": pl.DataFrame(
            [
                {
                    "model": model,
                    "fold": fold,
                    "opening": f"{at}-7",
                    "token_ids": [at, 7],
                    "text": text,
                    "depth": 2,
                    "responses": 40,
                    "refusals": round(40 * share),
                    "share": share,
                }
                for fold in range(3)
                for at, (text, share, _) in enumerate(LEAVES)
            ]
        ),
        "opening_probabilities": pl.concat(
            pl.DataFrame(
                {
                    "model": model,
                    "prompt_id": ids,
                    "opening": f"{at}-7",
                    "probability": probability[:, at],
                    "probability_sampled": probability[:, at],
                    "drawn": 0,
                    "drawn_refusals": 0,
                }
            )
            for at in range(len(LEAVES))
        ),
    }
