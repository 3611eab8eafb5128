"""Which name or template a difference rests on, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.counting import counted
from refusal_parity.factors import SET
from refusal_parity.tables import Influence, Prompts
from refusal_parity.text import isolated, points, shorten
from refusal_parity.vocabulary import LeftOut

if TYPE_CHECKING:
    from refusal_parity.outcomes import Outcome
    from refusal_parity.report.inputs import ReportInputs, Row
    from refusal_parity.statistics.answering.finding import Finding

_LONGEST = 60


def influence_words(
    inputs: ReportInputs, model: str, outcome: Outcome, dimension: str, contrast: Finding
) -> str:
    """The name and the template without which a difference changes most.

    And those without which the exact permutation, uncorrected, is no longer
    below alpha, where it is with all of them. Empty where nothing was left out in turn.
    """
    rows = inputs[Influence].filter(
        pl.col("model") == model,
        pl.col("outcome").cast(pl.String) == outcome,
        pl.col("dimension") == dimension,
        pl.col("group") == contrast.group,
        pl.col("reference") == contrast.reference,
    )
    alpha = inputs.config.analysis.alpha
    permuted = contrast.names_p_adjusted is not None and contrast.names_p_adjusted < alpha
    sentences = []
    for kind in LeftOut:
        of_kind = rows.filter(pl.col("left_out_kind").cast(pl.String) == kind.value)
        changed = of_kind.drop_nulls("change").sort(pl.col("change").abs(), "left_out")
        if changed.is_empty():
            continue
        most = changed.row(-1, named=True)
        noun = _noun(inputs, kind, most["left_out"])
        sentences.append(
            f"Without the {noun} {_shown(inputs, kind, most)} it would be "
            f"{points(most['estimate'], signed=True)} points, the largest change by one "
            f"{noun}."
            if points(most["change"]) != points(0.0)
            else f"No {noun} changes it where it is left out."
        )
        lost = of_kind.filter(pl.col("p_value") >= alpha)
        if permuted and lost.height:
            first = _shown(inputs, kind, lost.row(0, named=True))
            rest = lost.height - 1
            more = f" or {'any of ' * (rest > 1)}{counted(rest, 'other')}" if rest else ""
            sentences.append(
                f"Without {first}{more} the exact permutation of names would not have p below "
                f"{alpha:g}."
            )
    return "".join(f" {sentence}" for sentence in sentences)


def _noun(inputs: ReportInputs, kind: LeftOut, key: str) -> str:
    """What was left out: of templates in matched sets, all of a set at once."""
    prompts = inputs[Prompts]
    sets = prompts[SET].unique().to_list() if SET in prompts.columns else []
    return "matched set" if kind is LeftOut.TEMPLATE and key in sets else kind.value


def _shown(inputs: ReportInputs, kind: LeftOut, row: Row) -> str:
    """A name as it is written, a template by its text."""
    key = row["left_out"]
    if kind is LeftOut.NAME:
        return isolated(inputs.name_facts().get(key, {}).get("name", key))
    text = inputs.template_facts().get(key, {}).get("template", key)
    return f"“{isolated(shorten(text, _LONGEST))}”"
