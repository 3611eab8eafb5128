"""What a method says of each of many studies, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from refusal_parity.statistics.results import NUMBERS, Estimate, Pair, join_notes, not_estimable
from refusal_parity.vocabulary import Estimand

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from refusal_parity.statistics.designs.counts import BoolArray, FloatArray, IntArray
    from refusal_parity.statistics.designs.studies import Studies
    from refusal_parity.statistics.registry import Method


class Remark(NamedTuple):
    """Something to say about some answers, and which of their numbers there are not.

    Attributes:
        text: what; or what of one study, where finding it takes time.
        where: studies and pairs that it holds for, broadcasts to (studies, pairs).
        strikes: columns that have no number there.
        always: whether to say it even where there is no number at all.
    """

    text: str | Callable[[int], str]
    where: BoolArray
    strikes: tuple[str, ...] = ()
    always: bool = False

    @classmethod
    def missing(cls, reason: str | Callable[[int], str], where: BoolArray | None = None) -> Remark:
        """Why there is no number at all."""
        everywhere = np.ones(1, dtype=np.bool_)
        return cls(reason, everywhere if where is None else where, NUMBERS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """One method's answers to one kind of question, for each of many studies.

    Arrays broadcast to (studies, pairs).

    Attributes:
        method: how they were computed.
        estimand: what is estimated or tested.
        studies: how many.
        pairs: levels compared; None alone for a global test.
        estimate: value of the estimand; this and the numbers below as in `Estimate`,
            None where the method has none.
        family_null: of each pair the largest distances of its family in studies without a
            difference, as in `Estimate`, shape (studies, pairs, distances).
        remarks: reasons for numbers that are missing, the first decides, and notes.
    """

    method: Method
    estimand: Estimand
    studies: int
    pairs: tuple[Pair | None, ...] = (None,)
    estimate: FloatArray | None = None
    std_error: FloatArray | None = None
    df: FloatArray | None = None
    df_denominator: FloatArray | None = None
    ci_low: FloatArray | None = None
    ci_high: FloatArray | None = None
    statistic: FloatArray | None = None
    p_value: FloatArray | None = None
    p_family: FloatArray | None = None
    family_low: FloatArray | None = None
    family_high: FloatArray | None = None
    effective_group: FloatArray | None = None
    effective_reference: FloatArray | None = None
    variance_group: FloatArray | None = None
    variance_reference: FloatArray | None = None
    df_group: FloatArray | None = None
    df_reference: FloatArray | None = None
    least_group: FloatArray | None = None
    least_reference: FloatArray | None = None
    correlation: FloatArray | None = None
    family_null: FloatArray | None = None
    remarks: tuple[Remark, ...] = ()

    def values(self, column: str) -> FloatArray:
        """A column with NaN where there is no number, shape (studies, pairs).

        Raises:
            ValueError: the method has no such numbers.
        """
        given = getattr(self, column)
        if given is None:
            message = f"{self.method} has no {column}"
            raise ValueError(message)
        found = np.array(np.broadcast_to(given, self._shape), dtype=np.float64)
        for remark in self.remarks:
            if column in remark.strikes:
                found[np.broadcast_to(remark.where, self._shape)] = np.nan
        return found

    @property
    def _shape(self) -> tuple[int, int]:
        return self.studies, len(self.pairs)

    def remarking(self, *remarks: Remark) -> Answers:
        """The same with more said about them."""
        return replace(self, remarks=(*self.remarks, *remarks))

    def of_study(self, study: int) -> list[Estimate]:
        """The rows of one study."""

        def own(values: FloatArray | BoolArray) -> list[Any]:
            return list(np.broadcast_to(values, self._shape)[study].tolist())

        said = [own(remark.where) for remark in self.remarks]
        numbers = {
            column: own(given) for column in NUMBERS if (given := getattr(self, column)) is not None
        }
        return [
            self._row(
                (study, at),
                [remark for remark, where in zip(self.remarks, said, strict=True) if where[at]],
                {column: float(given[at]) for column, given in numbers.items()},
            )
            for at in range(len(self.pairs))
        ]

    def _row(
        self, place: tuple[int, int], said: list[Remark], numbers: dict[str, float]
    ) -> Estimate:
        """The row of a study and a pair, with what is said of it."""
        study, at = place
        pair = self.pairs[at]
        missing = next((each for each in said if each.strikes == NUMBERS), None)
        notes = [
            _text(each, study)
            for each in said
            if each.strikes != NUMBERS and (missing is None or each.always)
        ]
        if missing is not None:
            reason = _text(missing, study)
            return not_estimable(self.method, self.estimand, pair, reason).noting(*notes)
        struck = {column for each in said for column in each.strikes}
        group, reference = pair or (None, None)
        return Estimate(
            method=self.method,
            estimand=self.estimand,
            group=group,
            reference=reference,
            note=join_notes(*notes),
            few=None,
            family_null=None if self.family_null is None else self.family_null[study, at].tolist(),
            **{column: given for column, given in numbers.items() if column not in struck},
        )

    def rejects(self, alpha: float, *, null: float) -> Verdicts:
        """Where p <= alpha, or without a p-value where the interval leaves the null value out."""
        if self.p_value is None:
            return self.misses(np.array(null))
        p_value = self.values("p_value")
        return Verdicts(~np.isnan(p_value), p_value <= alpha)

    def misses(self, truth: FloatArray) -> Verdicts:
        """Where the interval leaves the truth out.

        Args:
            truth: broadcasts to (studies, pairs).

        Raises:
            ValueError: the method has no interval.
        """
        low, high = self.values("ci_low"), self.values("ci_high")
        known = ~(np.isnan(low) | np.isnan(high))
        return Verdicts(known, known & ((truth < low) | (truth > high)))

    def spread_out(
        self, pairs: Sequence[Pair], studies: int | None = None, at: IntArray | None = None
    ) -> Answers:
        """The answers among other pairs, and perhaps more studies; NaN for those it has not.

        Args:
            pairs: all of them, in order.
            studies: how many there are, if more.
            at: which of them these are, shape (studies,).
        """
        studies = self.studies if studies is None else studies
        rows = np.arange(studies) if at is None else at
        wanted: list[Pair | None] = [None] if self.estimand is Estimand.GLOBAL else list(pairs)
        kept = [at for at, pair in enumerate(self.pairs) if pair in wanted]
        columns = np.array([wanted.index(self.pairs[at]) for at in kept], dtype=np.intp)
        place = np.ix_(rows, columns)

        def among(values: FloatArray | BoolArray, empty: float) -> FloatArray:
            full = np.full((studies, len(wanted)), empty)
            full[place] = np.broadcast_to(values, self._shape)[:, kept]
            return full

        def here(remark: Remark) -> Remark:
            of_own = remark.text
            if callable(of_own) and at is not None:
                own = {int(study): row for row, study in enumerate(at)}
                remark = remark._replace(text=lambda study: of_own(own[study]))
            return remark._replace(where=among(remark.where, 0.0) > 0)

        null = self.family_null
        if null is not None:
            null = np.full((studies, len(wanted), null.shape[-1]), np.nan)
            null[place] = np.asarray(self.family_null)[:, kept]
        numbers: dict[str, Any] = {
            column: among(given, np.nan)
            for column in NUMBERS
            if (given := getattr(self, column)) is not None
        }
        return replace(
            self,
            studies=studies,
            pairs=tuple(wanted),
            remarks=tuple(map(here, self.remarks)),
            family_null=null,
            **numbers,
        )


def _text(remark: Remark, study: int) -> str:
    return remark.text if isinstance(remark.text, str) else remark.text(study)


def unanswered(
    method: Method, estimand: Estimand, studies: Studies, remarks: Sequence[Remark] = ()
) -> Answers:
    """No number for any pair of levels, or of a global test; the remarks say why."""
    numbers: dict[str, Any] = dict.fromkeys(NUMBERS, np.array(np.nan))
    pairs = (None,) if estimand is Estimand.GLOBAL else studies.pairs
    return Answers(
        method=method,
        estimand=estimand,
        studies=len(studies),
        pairs=pairs,
        remarks=tuple(remarks),
        **numbers,
    )


def merged(parts: Sequence[Answers]) -> Answers:
    """Answers to the same question for different studies as one, NaN where a part has none."""
    first = parts[0]

    def first_known(column: str) -> FloatArray | None:
        found = None
        for part in parts:
            given = getattr(part, column)
            if given is not None:
                found = given if found is None else np.where(np.isnan(found), given, found)
        return found

    numbers: dict[str, Any] = {column: first_known(column) for column in NUMBERS}
    remarks = tuple(remark for part in parts for remark in part.remarks)
    return replace(first, remarks=remarks, **numbers)


def lost_pairs(pairs: Sequence[Pair], lost: Mapping[str, str]) -> list[Remark]:
    """Why pairs of levels that cannot be used are missing.

    Args:
        pairs: all that are compared.
        lost: levels, each with its reason.
    """
    reasons = {
        pair: ", ".join(lost[level] for level in reversed(pair) if level in lost) for pair in pairs
    }
    return pairs_missing(pairs, {pair: reason for pair, reason in reasons.items() if reason})


def pairs_missing(pairs: Sequence[Pair], lost: Mapping[Pair, str]) -> list[Remark]:
    """Why single pairs are missing, those that are compared."""
    return [
        Remark.missing(lost[pair], np.arange(len(pairs)) == at)
        for at, pair in enumerate(pairs)
        if pair in lost
    ]


class Verdicts(NamedTuple):
    """Arrays of shape (studies, pairs): whether there is an answer, and whether it is `wrong`."""

    known: BoolArray
    wrong: BoolArray
