"""Each prompt's propensity to be refused, from probabilities of openings, and how it is drawn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.openings.tree import Leaf, leaf_of
from refusal_parity.tables import OpeningProbabilities, Propensity, empty

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from refusal_parity.openings.walking import Chance, Tokens

ALL: Final = 0
"""Fold of the tree that was learnt from all responses."""

_SURE: Final = 1 - 1e-12
"""A propensity above this has no log-odds that floating-point numbers tell from it."""


@dataclass(frozen=True, slots=True)
class Draw:
    """An ordinary draw that has a label.

    Attributes:
        tokens: its first ones.
        refuses: whether it refuses.
    """

    tokens: Tokens
    refuses: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """A prompt of which openings are measured.

    Attributes:
        prompt_id: its key.
        fold: of its template, from 1.
        chances: of the openings of the tree of all responses and of its fold's.
        draws: its ordinary draws.
    """

    prompt_id: str
    fold: int
    chances: Mapping[Tokens, Chance]
    draws: Sequence[Draw]


@dataclass(frozen=True, slots=True)
class Opened:
    """How often draws open as the trees of their folds do, and how often they should.

    Attributes:
        draws: all that have a label.
        inside: of these, those that open with a leaf.
        expected: how many should, by the probabilities.
        error: standard error of the difference.
        refusals: draws that refuse.
        outside: of these, those that open with no leaf.
    """

    draws: int
    inside: int
    expected: float
    error: float
    refusals: int
    outside: int


def leaves_of(openings: pl.DataFrame) -> dict[int, list[Leaf]]:
    """The leaves of each tree, by fold.

    Args:
        openings: a table of `Openings`.
    """
    found: dict[int, list[Leaf]] = {}
    rows = openings.sort("fold", "opening").select("fold", "token_ids", "responses", "refusals")
    for fold, tokens, responses, refusals in rows.iter_rows():
        found.setdefault(fold, []).append(Leaf(tuple(tokens), responses, refusals))
    return found


def log_odds(
    leaves: Sequence[Leaf], chances: Mapping[Tokens, Chance]
) -> tuple[float, float] | None:
    """Log-odds that a response opens as refusals do, and their standard error.

    The error is the delta method's, from the shares of refusals, each with the variance of
    Jeffreys' posterior; probabilities have none.

    Args:
        leaves: of the tree.
        chances: of each leaf.

    Returns:
        Null where no leaf has any probability.
    """
    propensity = math.fsum(chances[leaf.tokens].before * leaf.share for leaf in leaves)
    if propensity <= 0:
        return None
    propensity = min(propensity, _SURE)
    variance = math.fsum(chances[leaf.tokens].before ** 2 * leaf.variance for leaf in leaves)
    rest = 1 - propensity
    return math.log(propensity) - math.log1p(-propensity), math.sqrt(variance) / (propensity * rest)


def propensities(
    model: str, prompts: Iterable[Measured], trees: Mapping[int, Sequence[Leaf]]
) -> tuple[pl.DataFrame, Opened]:
    """Propensity of each prompt, and the rate that the tree of other templates gives it.

    Args:
        model: the model's key in the config.
        prompts: what was measured.
        trees: leaves by fold.

    Returns:
        A table of `Propensity`, and how draws open.
    """
    measured = list(prompts)
    shares = {fold: {leaf.tokens: leaf for leaf in leaves} for fold, leaves in trees.items()}
    opened = [
        [(draw, leaf_of(draw.tokens, frozenset(shares.get(each.fold, {})))) for draw in each.draws]
        for each in measured
    ]
    outside = [draw.refuses for draws in opened for draw, leaf in draws if leaf is None]
    rows = [
        _row(model, each, draws, trees.get(ALL, []), shares.get(each.fold, {}))
        for each, draws in zip(measured, opened, strict=True)
    ]
    table = pl.DataFrame(rows, schema=empty(Propensity).schema)
    inside = [1 - row["outside"] for row in rows for _ in range(row["drawn"])]
    return table, Opened(
        draws=len(inside),
        inside=sum(leaf is not None for draws in opened for _, leaf in draws),
        expected=math.fsum(inside),
        error=math.sqrt(math.fsum(mass * (1 - mass) for mass in inside)),
        refusals=sum(row["drawn_refusals"] for row in rows),
        outside=sum(outside),
    )


def _row(
    model: str,
    measured: Measured,
    draws: Sequence[tuple[Draw, Tokens | None]],
    everything: Sequence[Leaf],
    own: Mapping[Tokens, Leaf],
) -> dict[str, Any]:
    chances = measured.chances
    odds = log_odds(everything, chances)
    inside = min(1.0, math.fsum(chances[leaf].drawn for leaf in own))
    of_tree = math.fsum(chances[leaf.tokens].drawn * leaf.share for leaf in own.values())
    return {
        "model": model,
        "prompt_id": measured.prompt_id,
        "fold": measured.fold,
        "log_odds": odds and odds[0],
        "log_odds_error": odds and odds[1],
        "mass": min(1.0, math.fsum(chances[leaf.tokens].before for leaf in everything)),
        "tree_rate": min(1.0, of_tree),
        "outside": 1 - inside,
        "drawn": len(draws),
        "drawn_refusals": sum(draw.refuses for draw, _ in draws),
        "drawn_outside_refusals": sum(draw.refuses for draw, leaf in draws if leaf is None),
    }


def probabilities(
    model: str, prompts: Iterable[Measured], names: Mapping[Tokens, str]
) -> pl.DataFrame:
    """What was measured, and how draws open, as a table of `OpeningProbabilities`.

    Args:
        model: the model's key in the config.
        prompts: what was measured.
        names: keys of openings.
    """
    rows = []
    for each in prompts:
        for tokens, chance in sorted(each.chances.items()):
            opened = [draw.refuses for draw in each.draws if draw.tokens[: len(tokens)] == tokens]
            rows.append(
                (
                    *(model, each.prompt_id, names[tokens]),
                    *(min(1.0, chance.before), min(1.0, chance.drawn)),
                    *(len(opened), sum(opened)),
                )
            )
    return pl.DataFrame(rows, schema=empty(OpeningProbabilities).schema, orient="row")
