"""What models would differ by, whatever the responses were that they left out.

A response without a label leaves the comparison of models. So each difference is told as it would
be if all that was left out spoke for it, and if all of it spoke against it (Manski 1989, Journal of
Human Resources 24:343-360), over all prompts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from refusal_parity.statistics.designs.outcome_columns import outcome_column
from refusal_parity.statistics.pairing import levels_kept
from refusal_parity.statistics.rounding import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from refusal_parity.config import AnalysisConfig
    from refusal_parity.outcomes import Outcome
    from refusal_parity.statistics.designs.model_weights import ModelWeights

Row = dict[str, Any]

_ENDS: Final = {"lowest": "ci_low", "highest": "ci_high"}
"""Readings, and the end of each one's interval that lies farther out."""

_LEFT: Final = "n_left"


class BothReadings(NamedTuple):
    """All prompts, with their change in the reading that makes it lowest, and highest."""

    prompts: pl.DataFrame

    def of_all(self, reading: str) -> pl.DataFrame:
        """Prompts with the change of one reading."""
        return self.prompts.with_columns(change=pl.col(reading))

    def of_levels(self, reading: str, dimension: str, reference: str) -> pl.DataFrame:
        """The same where a difference from a level is read so: that level is read the other way."""
        other = "highest" if reading == "lowest" else "lowest"
        of_reference = pl.col(dimension).eq_missing(reference)
        change = pl.when(of_reference).then(pl.col(other)).otherwise(pl.col(reading))
        return self.prompts.with_columns(change=change)

    def left_out(self, dimension: str, levels: Iterable[str | None]) -> int:
        """Responses left out of some levels, or of all prompts where there is none."""
        those = [level for level in levels if level is not None]
        rows = self.prompts.filter(pl.col(dimension).is_in(those)) if those else self.prompts
        return int(rows[_LEFT].sum())


def both_readings(
    observations: pl.DataFrame, outcome: Outcome, wanted: ModelWeights, analysis: AnalysisConfig
) -> BothReadings | None:
    """Each prompt's weighted sum over models in both readings; None where nothing was left out.

    Args:
        observations: rows of `observe`, of all models.
        outcome: what is compared.
        wanted: the models, with their weights.
        analysis: dimensions.
    """
    asked = observations.filter(pl.col("model").is_in(list(wanted.weights)))
    left = pl.col("label").is_null()
    if not asked.select(left.any()).item():
        return None
    has = outcome_column(outcome).fill_null(value=False)
    weight = pl.col("model").replace_strict(dict(wanted.weights), return_dtype=pl.Float64)
    cells = (
        asked.group_by("prompt_id", "model")
        .agg(
            pl.first("name_id", "template_id", "text_id", *levels_kept(asked, analysis)),
            n=pl.len(),
            left=left.sum(),
            least=has.mean(),
            most=(has | left).mean(),
        )
        .filter(pl.len().over("prompt_id") == len(wanted.weights))
        .sort("prompt_id", "model")
    )
    above = weight > 0
    prompts = cells.group_by("prompt_id", maintain_order=True).agg(
        pl.first("name_id", "template_id", "text_id", *levels_kept(asked, analysis)),
        n_with=pl.col("n").filter(above).sum(),
        n_without=pl.col("n").filter(~above).sum(),
        n_left=pl.col("left").sum(),
        lowest=(pl.when(above).then("least").otherwise("most") * weight).sum(),
        highest=(pl.when(above).then("most").otherwise("least") * weight).sum(),
    )
    return BothReadings(prompts)


def with_bounds(
    rows: Iterable[Row],
    readings: BothReadings | None,
    read: Callable[[BothReadings, str], Iterator[Row]],
) -> Iterator[Row]:
    """Rows of `comparison`, each with its numbers in both readings.

    Args:
        rows: of one outcome and dimension.
        readings: of the outcome; null where nothing was left out.
        read: makes the same rows, in their order, of a reading.
    """
    if readings is None:
        yield from rows
        return
    both = {reading: list(read(readings, reading)) for reading in _ENDS}
    for at, row in enumerate(rows):
        left = readings.left_out(row["dimension"], (row["group"], row["reference"]))
        yield row | bounds_of(left, {reading: both[reading][at] for reading in _ENDS})


def bounds_of(left: int, both: Mapping[str, Row]) -> Row:
    """The columns of a row on what was left out.

    Args:
        left: how many responses.
        both: the row's numbers in the readings `lowest` and `highest`.
    """
    found: Row = {"left_out": left}
    for reading, end in _ENDS.items():
        numbers = both[reading] if left else {}
        for column, value in ((reading, "estimate"), (f"{reading}_{end}", end)):
            number = numbers.get(value)
            # Of rates: what is left of equal ones is rounding.
            found[column] = 0.0 if number is not None and abs(number) < NOTHING else number
    return found
