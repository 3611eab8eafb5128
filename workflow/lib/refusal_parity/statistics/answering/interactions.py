"""What the table of interactions answers: differences at each level of a factor, and between."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from refusal_parity.statistics.answering.left_out import bounded_by_row
from refusal_parity.statistics.methods.bias_reduced import OLS_CR2_TWO_WAY
from refusal_parity.text import level_words
from refusal_parity.vocabulary import Correction, Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.statistics.answering.finding import Finding, Row

_SAME = ("group", "reference", "factor", "factor_level", "factor_base")
_NUMBERS = ("estimate", "ci_low", "ci_high", "p_value", "p_adjusted", "family", "note")


def of_factors(rows: Sequence[Row], start: Finding, alpha: float) -> list[Finding]:
    """Findings of one model, outcome and dimension at the levels of crossed factors.

    Args:
        rows: of the table Interactions.
        start: with the model, outcome, dimension and margin.
        alpha: level of the corrected tests.
    """
    return [
        bounded_by_row(
            replace(
                start,
                primary=False,
                method=OLS_CR2_TWO_WAY if row["estimate"] is not None else None,
                scope=Scope(row["scope"]),
                correction=None if row["family"] is None else Correction.BENJAMINI_HOCHBERG,
                **{key: row[key] for key in (*_SAME, *_NUMBERS)},
            ).decided(alpha),
            row,
            _what(row),
        )
        for row in rows
    ]


def _what(row: Row) -> str:
    """What a row is about, as the start of a sentence."""
    level, base = (
        None if row[each] is None else level_words(row["factor"], row[each])
        for each in ("factor_level", "factor_base")
    )
    changes = f" less that with {base}" if base else ""
    return f"With {level} the difference of {level_words(row['dimension'], row['group'])}{changes}"
