"""The counts that every method of one comparison works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from refusal_parity.factors import is_listed
from refusal_parity.statistics.designs.grid import Noise
from refusal_parity.statistics.designs.kinds import DesignKind, kind_of
from refusal_parity.statistics.designs.outcome_columns import count_outcomes, sum_measure
from refusal_parity.statistics.results import Pair, pairs_of

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    import polars as pl

    from refusal_parity.outcomes import Outcome

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]
BoolArray = npt.NDArray[np.bool_]


class NameTotals(NamedTuple):
    """Totals of each name: the unit of the randomisation. Three arrays of shape (names,)."""

    level: IntArray
    n: FloatArray
    k: FloatArray


@dataclass(frozen=True, slots=True)
class Design:
    """One outcome of one model, counted by level, name and template.

    Responses of one cell (level, name, template) share every regressor and
    every cluster, so counts by cell are all that any method here needs.

    Attributes:
        levels: levels with labelled responses, the reference first.
        level: code into `levels`, shape (cells,).
        name: code of the name, shape (cells,).
        template: code of the template, or of the matched set that it is one of: what the
            study has a sample of texts of, shape (cells,).
        n: labelled responses, shape (cells,), each at least 1.
        k: of them with the outcome, shape (cells,); or the sum of any other
            quantity over them, where a method needs no more than sums.
        kind: how levels, names and templates stand to each other. In a nested design the
            unit stands in the name's place, and all are of one template.
        noise: of what is measured with an error, with the variance of `k`, shape (cells,);
            None of what is counted.
    """

    levels: tuple[str, ...]
    level: IntArray
    name: IntArray
    template: IntArray
    n: FloatArray
    k: FloatArray
    kind: DesignKind = DesignKind.CROSSED
    noise: Noise | None = None

    @property
    def level_n(self) -> FloatArray:
        """Labelled responses of each level, shape (levels,)."""
        return np.bincount(self.level, self.n, len(self.levels)).astype(np.float64)

    @property
    def level_k(self) -> FloatArray:
        """Responses with the outcome of each level, shape (levels,)."""
        return np.bincount(self.level, self.k, len(self.levels)).astype(np.float64)

    @property
    def cell(self) -> IntArray:
        """Code of each row's name and template together, shape (cells,)."""
        return codes_of(self.name * (int(self.template.max(initial=0)) + 1) + self.template)

    @property
    def pairs(self) -> list[tuple[Pair, int, int]]:
        """All pairs of levels in the order of `pairs_of`, with the codes of both."""
        code = {level: at for at, level in enumerate(self.levels)}
        return [(pair, code[pair.group], code[pair.reference]) for pair in pairs_of(self.levels)]

    def members(self, codes: IntArray) -> IntArray:
        """How many distinct names or templates each level has, shape (levels,)."""
        width = int(codes.max(initial=0)) + 1
        return np.bincount(
            np.unique(self.level * width + codes) // width, minlength=len(self.levels)
        )

    def by_template(self) -> tuple[FloatArray, FloatArray]:
        """Counts n and k, each of shape (templates, levels)."""
        shape = (int(self.template.max(initial=-1)) + 1, len(self.levels))
        at = self.template * shape[1] + self.level
        n = np.bincount(at, self.n, shape[0] * shape[1]).reshape(shape)
        k = np.bincount(at, self.k, shape[0] * shape[1]).reshape(shape)
        return n.astype(np.float64), k.astype(np.float64)

    @property
    def meets_levels(self) -> bool:
        """Whether a name, or of a prompt list a set, stands at several levels."""
        pairs = np.unique(self.name * len(self.levels) + self.level)
        return bool((np.diff(pairs // len(self.levels)) == 0).any())

    def by_name(self) -> NameTotals:
        """Totals of each name, in the order of the names' codes.

        Raises:
            ValueError: a name stands at two levels, so levels are no property of names.
        """
        if self.meets_levels:
            message = "a name stands at two levels"
            raise ValueError(message)
        pairs = np.unique(self.name * len(self.levels) + self.level)
        level = pairs % len(self.levels)
        return NameTotals(
            level=level,
            n=np.bincount(self.name, self.n).astype(np.float64),
            k=np.bincount(self.name, self.k).astype(np.float64),
        )

    def without(self, levels: Container[str]) -> Design:
        """The design of the other levels only."""
        kept = [at for at, level in enumerate(self.levels) if level not in levels]
        return self.keep(np.isin(self.level, kept))

    def keep(self, cells: BoolArray) -> Design:
        """The design of some cells only, names and templates coded anew.

        Args:
            cells: which cells stay, shape (cells,).
        """
        left, level = np.unique(self.level[cells], return_inverse=True)
        return Design(
            levels=tuple(self.levels[each] for each in left),
            level=level,
            name=codes_of(self.name[cells]),
            template=codes_of(self.template[cells]),
            n=self.n[cells],
            k=self.k[cells],
            kind=self.kind,
            noise=self.noise and Noise(self.noise.variance[cells], self.noise.step),
        )


def codes_of(values: npt.NDArray[np.generic]) -> IntArray:
    """Integer codes 0, 1, ... of the distinct values, in their order, shape as given."""
    _, codes = np.unique(values, return_inverse=True)
    return np.asarray(codes, dtype=np.intp)


def clusters_of(cells: pl.DataFrame) -> tuple[IntArray, IntArray]:
    """Codes of names and of templates or matched sets, each of shape (cells,).

    Of a prompt list the prompt, or its set, stands in the name's place, and there is one
    template.

    Args:
        cells: rows with `name_id` and `text_id`.
    """
    text = codes_of(cells["text_id"].to_numpy().astype(np.str_))
    if is_listed(cells):
        return text, np.zeros_like(text)
    return codes_of(cells["name_id"].to_numpy().astype(np.str_)), text


def build_designs(
    observations: pl.DataFrame,
    dimension: str,
    levels: Sequence[str],
    outcomes: Sequence[Outcome],
) -> dict[Outcome, Design]:
    """Count one model's observations for each outcome.

    Args:
        observations: rows of `observe`, of one model.
        dimension: column whose levels are compared; rows without a level fall away.
        levels: all levels, the reference first; those with no labelled
            response do not enter the designs.
        outcomes: yes-or-no readings of the labels, or one mean alone.
    """
    keys = [dimension, "name_id", "text_id"]
    levelled = observations.drop_nulls(dimension)
    cells = (
        count_outcomes(levelled.drop_nulls("label"), keys, outcomes)
        if all(outcome.is_binary for outcome in outcomes)
        else sum_measure(levelled, keys, *outcomes)
    )
    present = set(cells[dimension])
    left = tuple(level for level in levels if level in present)
    order = {level: code for code, level in enumerate(left)}
    level = np.array([order[each] for each in cells[dimension]], dtype=np.intp)
    name, template = clusters_of(cells)
    kind = kind_of(dimension, nested=is_listed(cells))
    n = cells["n"].to_numpy().astype(np.float64)
    noise = None
    if "noise" in cells.columns:
        step = float(cells["step"].sum() / n.sum()) if len(n) else 0.0
        noise = Noise(cells["noise"].to_numpy().astype(np.float64), step)
    return {
        outcome: Design(
            *(left, level, name, template, n),
            cells[str(outcome)].to_numpy().astype(np.float64),
            kind,
            noise,
        )
        for outcome in outcomes
    }
