"""What can be computed of labelled responses: shares of labels, means, log-odds, weighed rates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from refusal_parity.vocabulary import Label


@dataclass(frozen=True, slots=True)
class Share:
    """The share of labelled responses whose label is one of these: a rate, in points."""

    labels: frozenset[Label]

    unit: ClassVar[str] = "points"


@dataclass(frozen=True, slots=True)
class Check:
    """How a measure is held against people's reading of answers that were written for it.

    Attributes:
        reading: column of `data/quality/answers.csv`, yes or no.
        above: what the measure says yes to: values above this.
    """

    reading: str
    above: float


@dataclass(frozen=True, slots=True)
class Mean:
    """The mean of a column of observations over responses whose label is one of these.

    Attributes:
        column: of observations.
        labels: of the responses that it is a mean over.
        unit: of the column.
        margin: difference below which groups count as alike, where a study states none.
        over: one of the responses that it is a mean over, in words.
        check: how its errors are measured; None where it counts what it says and has none.
    """

    column: str
    labels: frozenset[Label]
    unit: str
    margin: float
    over: str = "answer of known length"
    check: Check | None = None


@dataclass(frozen=True, slots=True)
class LogOdds:
    """The mean of one number for each prompt, the log-odds of an event: no labels, no draws.

    Attributes:
        column: of observations; of each prompt one row has it.
    """

    column: str

    unit: ClassVar[str] = "log-odds"


@dataclass(frozen=True, slots=True)
class WeighedRate:
    """The mean of one rate for each prompt, which is measured with an error of known variance.

    Attributes:
        column: of observations; of each prompt one row has it.
        variance: of observations, that of its error.
        step: of observations, what one response may move it by.
    """

    column: str
    variance: str
    step: str

    unit: ClassVar[str] = "points"


Quantity = Share | Mean | LogOdds | WeighedRate
