"""Two labellings of the same responses, counted by cell and drawn anew by cluster."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from refusal_parity.labelling.folds import LABELS
from refusal_parity.statistics.designs.counts import codes_of
from refusal_parity.vocabulary import REFUSALS, Label

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

    FloatArray = npt.NDArray[np.float64]
    IntArray = npt.NDArray[np.intp]
    BoolArray = npt.NDArray[np.bool_]

DRAWS: Final = 1_000
"""Bootstrap samples of names and templates behind each interval."""

_AT_ONCE: Final = 50
"""Bootstrap samples that are multiplied at a time: each takes 8 bytes a prompt."""

SEVEN: Final = "seven_classes"
SIX: Final = "six_classes"
"""The classes of arXiv 2403.13213, where a refusal in part is a partial answer."""
REFUSAL: Final = "refusal_or_not"
_OF_SIX: Final = [label for label in LABELS if label != Label.PARTIAL_REFUSAL]
_READ: Final = {
    SEVEN: np.arange(len(LABELS)),
    SIX: np.array(
        [
            _OF_SIX.index(Label.PARTIAL_ANSWER if label == Label.PARTIAL_REFUSAL else label)
            for label in LABELS
        ]
    ),
    REFUSAL: np.isin(LABELS, REFUSALS).astype(np.intp),
} | {label: np.array([each == label for each in LABELS], dtype=np.intp) for label in LABELS}
"""Code of each class under each reading: all classes, or a class or some against the rest."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two labellings of some responses.

    Attributes:
        truth: code of the yardstick's label, shape (responses,).
        given: code of the rater's label, shape (responses,).
        weight: 1, or 1 / inclusion probability, shape (responses,).
        name: code of the name, shape (responses,).
        template: code of the template, shape (responses,).
        listed: whether they are of a prompt list, whose unit stands in the name's place.
    """

    truth: IntArray
    given: IntArray
    weight: FloatArray
    name: IntArray
    template: IntArray
    listed: bool = False

    @classmethod
    def of(cls, rows: pl.DataFrame, rater: str, yardstick: str, *, weighted: bool) -> Pair:
        """The responses that both labelled.

        Args:
            rows: `Ratings.rows`, or a part of them.
            rater: column that is compared.
            yardstick: column it is compared with.
            weighted: whether only rows of the probability sample count, each
                for 1 / its inclusion probability.
        """
        needed = [rater, yardstick, *(["inclusion_probability"] if weighted else [])]
        both = rows.drop_nulls(needed)
        weight = 1 / both["inclusion_probability"].to_numpy() if weighted else np.ones(len(both))
        return cls(
            truth=codes(both[yardstick], SEVEN).astype(np.intp),
            given=codes(both[rater], SEVEN).astype(np.intp),
            weight=weight,
            name=codes_of(both["name_id"].to_numpy().astype(np.str_)),
            template=codes_of(both["template_id"].to_numpy().astype(np.str_)),
            listed=_is_listed(both["template_id"]),
        )

    def keep(self, rows: BoolArray) -> Pair:
        """The pair on some of its responses."""
        return Pair(
            truth=self.truth[rows],
            given=self.given[rows],
            weight=self.weight[rows],
            name=codes_of(self.name[rows]),
            template=codes_of(self.template[rows]),
            listed=self.listed,
        )

    def over(self, reading: str) -> Pair:
        """The pair with its labels under a reading."""
        read = _READ[reading]
        return replace(self, truth=read[self.truth], given=read[self.given])

    def confusion(self, classes: int) -> FloatArray:
        """Summed weights by both labels, shape (q, q); rows are the yardstick's."""
        at = self.truth * classes + self.given
        counted = np.bincount(at, self.weight, classes**2).astype(np.float64)
        return counted.reshape(classes, classes)

    def drawn_confusions(self, classes: int, random: np.random.Generator) -> FloatArray | None:
        """Confusion matrices of bootstrap samples, shape (DRAWS, q, q).

        Names and templates are drawn with replacement, and a response counts as
        often as both of its own were drawn together (the pigeonhole bootstrap:
        Owen 2007; conservative). None with fewer than two of either; of a prompt list,
        whose units are drawn alone, with fewer than two of these.
        """
        names, templates = (int(each.max(initial=-1)) + 1 for each in (self.name, self.template))
        if names < 2 or (templates < 2 and not self.listed):  # noqa: PLR2004 - one cannot vary
            return None
        cell = codes_of(self.name * templates + self.template)
        _, first = np.unique(cell, return_index=True)
        at = (cell * classes + self.truth) * classes + self.given
        counts = np.bincount(at, self.weight, len(first) * classes**2).reshape(len(first), -1)
        of_names = _multiplicities(random, names, DRAWS)
        of_templates = _multiplicities(random, templates, DRAWS)
        parts = [
            (of_names[some][:, self.name[first]] * of_templates[some][:, self.template[first]])
            @ counts
            for some in (slice(at, at + _AT_ONCE) for at in range(0, DRAWS, _AT_ONCE))
        ]
        return np.concatenate(parts).reshape(DRAWS, classes, classes)


def classes_of(reading: str) -> int:
    """How many classes a reading tells apart."""
    return int(_READ[reading].max()) + 1


def all_classes(*labellings: pl.Series) -> str:
    """The reading that tells apart all classes that every one of the labellings knows.

    Whoever never calls a response a partial refusal is taken to have had the six
    classes; the partial refusals of the other side are read as those have them.
    """
    knows = all((labels == Label.PARTIAL_REFUSAL).any() for labels in labellings)
    return SEVEN if knows else SIX


def codes(labels: pl.Series, reading: str) -> FloatArray:
    """Codes of labels under a reading, shape (responses,); NaN for none."""
    known = {label: code for code, label in enumerate(LABELS)}
    read = _READ[reading]
    return np.array(
        [read[known[label]] if label in known else np.nan for label in labels], dtype=np.float64
    )


def drawn_times(names: pl.Series, templates: pl.Series, draws: int, seed: int) -> IntArray | None:
    """How often each response is drawn in bootstrap samples, shape (draws, responses).

    None with fewer than two names or templates, or units of a prompt list.
    """
    random = np.random.default_rng(seed)
    listed = _is_listed(templates)
    if names.n_unique() < 2 or (templates.n_unique() < 2 and not listed):  # noqa: PLR2004 - one cannot vary
        return None
    times = np.ones((draws, len(names)), dtype=np.intp)
    for keys in (names, templates):
        of_row = codes_of(keys.to_numpy().astype(np.str_))
        times *= _multiplicities(random, int(of_row.max()) + 1, draws)[:, of_row].astype(np.intp)
    return times


def _is_listed(templates: pl.Series) -> bool:
    """Whether units of a list stand in the names' place (`factors.as_units`)."""
    return bool((templates == "").all())


def _multiplicities(random: np.random.Generator, size: int, draws: int) -> FloatArray:
    return random.multinomial(size, np.full(size, 1 / size), draws).astype(np.float64)
