"""Whether the classifier knows responses such as these, and whether its probabilities come true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.labelling.calibration import MIN_ROWS, expected_error
from refusal_parity.labelling.familiar import UNFAMILIAR
from refusal_parity.outcomes import Outcome
from refusal_parity.report.reach import Reach, reach, reach_warnings
from refusal_parity.report.sections.section import Section
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.designs.outcome_columns import outcome_column, outcome_share
from refusal_parity.tables import HumanLabels, Labels, Prompts, Responses
from refusal_parity.text import count, heading_of, percent, plain
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_KEY: Final = ("prompt_id", "sample")


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    found = {model: reach(inputs, model, inputs.dimension) for model in inputs.models}
    if not any(found.values()):
        return None
    return {
        "warnings": reach_warnings(inputs),
        "expected": percent(UNFAMILIAR),
        "reach": _reach(found, inputs.dimension),
        "calibration": _calibration(inputs),
    }


def _reach(found: dict[str, dict[str, Reach]], dimension: str) -> Table:
    return Table(
        caption="How far the responses are from those that taught the classifier. Unseen: words "
        "and pairs of words that it has not met; distance: 1 less the likeness to the nearest "
        "class; medians over responses.",
        columns=(
            ("Model", TEXT), (heading_of(dimension).capitalize(), TEXT), ("Responses", NUMBER),
            ("Unseen", NUMBER), ("Distance", NUMBER), ("Unlike all learnt from", NUMBER),
        ),
        rows=tuple(
            (
                Cell(plain(model)),
                Cell(plain(level)),
                Cell(count(each.n), each.n),
                _share(each.unseen),
                _number(each.distance),
                _share(each.share),
            )
            for model, levels in found.items()
            for level, each in levels.items()
        ),
    )  # fmt: skip


def _calibration(inputs: ReportInputs) -> Table | None:
    """Probabilities of a refusal against what people say, overall and by group."""
    levels = ("all", *inputs.levels("group"))
    parts = [
        (model, level, part)
        for model in inputs.models
        for rows in (_judged(inputs, model),)
        for level in levels
        if len(part := rows if level == "all" else rows.filter(pl.col("group") == level))
        >= MIN_ROWS
    ]
    if not parts:
        return None
    return Table(
        caption="Whether the probabilities come true. Mean probability of a refusal, the share "
        "that people or imported labels call so, and how far the two lie apart on average in ten "
        "bins of probability (expected calibration error); labels by people weigh by 1 / "
        f"inclusion probability. Parts with fewer than {MIN_ROWS} labelled responses are left out.",
        columns=(
            ("Model", TEXT), ("Group", TEXT), ("Responses", NUMBER), ("Said", NUMBER),
            ("Came true", NUMBER), ("Calibration error", NUMBER),
        ),
        rows=tuple(
            (
                Cell(plain(model)),
                Cell(plain(level)),
                Cell(count(len(part)), len(part)),
                _share(_mean(part, "said")),
                _share(_mean(part, "true")),
                _number(
                    expected_error(
                        part["true"].to_numpy(), part["said"].to_numpy(), part["weight"].to_numpy()
                    )
                ),
            )
            for model, level, part in parts
        ),
    )  # fmt: skip


def _judged(inputs: ReportInputs, model: str) -> pl.DataFrame:
    """Probability and truth of what people sampled, or imported labels where nobody did."""
    human = inputs[HumanLabels].drop_nulls("inclusion_probability")
    truth = (
        human.lazy()
        .filter(pl.col("model") == model)
        .select(
            *_KEY,
            true=outcome_share(Outcome.REFUSAL, "label", "split"),
            weight=1 / pl.col("inclusion_probability"),
        )
        if len(human)
        else inputs.scan(Responses, model).select(
            *_KEY,
            true=outcome_column(Outcome.REFUSAL, "imported_label").cast(pl.Float64),
            weight=pl.lit(1.0),
        )
    )
    refusals = [f"p_{label}" for label in REFUSALS]
    return (
        inputs.scan(Labels, model)
        .drop_nulls("p_refusal")
        .select(*_KEY, said=pl.sum_horizontal(refusals).clip(0, 1))
        .join(truth.drop_nulls("true"), on=_KEY)
        .join(inputs[Prompts].lazy().select("prompt_id", "group"), on="prompt_id")
        .select("group", "said", "weight", "true")
        .collect()
    )


def _mean(part: pl.DataFrame, column: str) -> float:
    return float(part.select((pl.col(column) * pl.col("weight")).sum()).item()) / float(
        part["weight"].sum()
    )


def _share(value: Any) -> Cell:
    return Cell(percent(float(value)), float(value))


def _number(value: Any) -> Cell:
    return Cell(f"{float(value):.3f}", float(value))


SECTION: Final = Section(
    key="reach",
    entry="Reach of the classifier",
    heading="Whether the classifier knows responses such as these",
    context=_context,
)
