"""Prompts with draws, openings and labels, made up."""

from __future__ import annotations

import polars as pl

from refusal_parity.tables import (
    LeafLabels,
    OpeningProbabilities,
    Openings,
    Propensity,
    empty,
    filled,
)

# The shares are those of other templates, and wrong here.
TREE = {"1": (40, 24), "2-5": (7, 7)}
CHANCE = {"1": 0.04, "2-5": 0.02}


def table(schema, rows):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    frame = pl.DataFrame(rows, schema=list(rows[0])) if rows else empty(schema)
    return filled(frame, schema, where="test")


def openings() -> pl.DataFrame:
    return table(
        Openings,
        [
            {
                "model": "m", "fold": fold, "opening": key, "text": key,
                "token_ids": [int(each) for each in key.split("-")], "depth": key.count("-") + 1,
                "responses": n, "refusals": k, "share": k / n,
            }
            for fold in (0, 2)
            for key, (n, k) in TREE.items()
        ],
    )  # fmt: skip


def of_prompt(
    draws: list[tuple[str, bool]], prompt: str = "p"
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Tables of OpeningProbabilities and of Propensity, of one prompt."""
    share = {key: k / n for key, (n, k) in TREE.items()}
    told = [
        {
            "model": "m", "prompt_id": prompt, "opening": key, "probability": chance,
            "probability_sampled": chance, "drawn": sum(leaf == key for leaf, _ in draws),
            "drawn_refusals": sum(leaf == key and refuses for leaf, refuses in draws),
        }
        for key, chance in CHANCE.items()
    ]  # fmt: skip
    row = {
        "model": "m", "prompt_id": prompt, "fold": 2, "mass": sum(CHANCE.values()),
        "tree_rate": sum(CHANCE[key] * share[key] for key in share),
        "outside": 1 - sum(CHANCE.values()), "drawn": len(draws),
        "drawn_refusals": sum(refuses for _, refuses in draws),
        "drawn_outside_refusals": sum(refuses for leaf, refuses in draws if not leaf),
    }  # fmt: skip
    return table(OpeningProbabilities, told), table(Propensity, [row])


def labels(given: list[tuple[str, str | None]], prompt: str = "p") -> pl.DataFrame:
    """A table of LeafLabels of one prompt: openings and labels."""
    return table(
        LeafLabels,
        [
            {
                "model": "m", "prompt_id": prompt, "opening": opening, "sample": at,
                "label": label, "truncated": False, "filtered": False,
                "exclusion": None if label else "abstained",
            }
            for at, (opening, label) in enumerate(given)
        ],
    )  # fmt: skip
