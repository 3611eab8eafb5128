"""Whether the classifier knows responses such as these, and whether its probabilities come true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import polars as pl

from refusal_parity.labelling.calibration import MIN_ROWS, expected_error
from refusal_parity.labelling.familiar import UNFAMILIAR
from refusal_parity.outcomes import Outcome
from refusal_parity.report.sections.section import Section
from refusal_parity.report.tabular import NUMBER, TEXT, Cell, Table
from refusal_parity.statistics.designs.outcome_columns import outcome_column, outcome_share
from refusal_parity.tables import HumanLabels, Labels, Prompts, Responses
from refusal_parity.text import count, percent, plain
from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from refusal_parity.report.inputs import ReportInputs

WORTH_SAYING: Final = 5 * UNFAMILIAR
"""Share of unlike responses above which it is said that the classifier is out of its reach."""

_KEY: Final = ("prompt_id", "sample")


def _context(inputs: ReportInputs) -> dict[str, Any] | None:
    read = _read(inputs)
    if read.is_empty():
        return None
    return {
        "warnings": list(reach_warnings(inputs)),
        "expected": percent(UNFAMILIAR),
        "reach": _reach(read, inputs.models),
        "calibration": _calibration(inputs),
    }


def _read(inputs: ReportInputs) -> pl.DataFrame:
    """How far each response that the classifier read is from those that taught it."""
    return (
        inputs.scan(Labels)
        .select("model", "unseen", "distance", "unsure")
        .drop_nulls("unsure")
        .collect()
    )


def reach_warnings(inputs: ReportInputs) -> Iterator[str]:
    """A sentence for each model whose responses are unlike what the classifier learnt from."""
    read = _read(inputs)
    for model in inputs.models:
        rows = read.filter(pl.col("model") == model)
        unlike = int(rows["unsure"].sum())
        if unlike > WORTH_SAYING * len(rows):
            yield (
                f"{plain(model)}: {percent(unlike / len(rows))} of the {count(len(rows))} "
                "responses that the classifier read are unlike all that taught it, where "
                f"{percent(UNFAMILIAR)} would be if they were like it. Its labels may be wrong "
                "more often than its probabilities say: let people label some of them "
                "(draw_human_sample offers these first)."
            )


def _reach(read: pl.DataFrame, models: list[str]) -> Table:
    rows = [(model, read.filter(pl.col("model") == model)) for model in models]
    return Table(
        caption="How far the responses are from those that taught the classifier. Unseen: words "
        "and pairs of words that it has not met; distance: 1 less the likeness to the nearest "
        "class; medians over responses.",
        columns=(
            ("Model", TEXT), ("Responses", NUMBER), ("Unseen", NUMBER), ("Distance", NUMBER),
            ("Unlike all learnt from", NUMBER),
        ),
        rows=tuple(
            (
                Cell(plain(model)),
                Cell(count(len(part)), len(part)),
                _share(part["unseen"].median()),
                _number(part["distance"].median()),
                _share(part["unsure"].mean()),
            )
            for model, part in rows
            if len(part)
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
