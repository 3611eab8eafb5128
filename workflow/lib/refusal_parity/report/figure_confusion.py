"""Confusion matrix: what the classifier says of each class that people named."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Rectangle

from refusal_parity.preference.noise import BOTH
from refusal_parity.report.axes import new_figure
from refusal_parity.report.drawing import Drawing, stem_of
from refusal_parity.report.figure_registry import Place, figure_of_model, figure_of_study
from refusal_parity.report.style import CELL_DARK, CELL_LIGHT, MUTED, PAPER, SEQUENTIAL
from refusal_parity.tables import Confusion
from refusal_parity.text import LABEL_NAMES, count, percent, plain
from refusal_parity.vocabulary import Label

if TYPE_CHECKING:
    from refusal_parity.report.inputs import ReportInputs

_DARK = 0.5
"""Above this share a cell is dark and its number light."""


@figure_of_model("confusion", Place(section="labels", order=80, wide=True))
def draw_confusion(inputs: ReportInputs, model: str) -> Drawing | None:
    """Classifier against people, or imported labels; None where neither is there."""
    return _drawn(inputs, model, plain(model))


@figure_of_study("answers", Place(section="labels", order=81, wide=True))
def draw_answers(inputs: ReportInputs) -> Drawing | None:
    """Classifier against people over all answers of preference data."""
    if inputs.config.preference is None:
        return None
    drawing = _drawn(inputs, BOTH, "answers of the probability sample")
    return drawing and replace(drawing, kind="answers", stem="answers", model="")


def _drawn(inputs: ReportInputs, model: str, what: str) -> Drawing | None:
    """The matrix of a model's rows; none without any.

    Args:
        inputs: the study.
        model: key in the table.
        what: was labelled, in words.
    """
    if inputs[Confusion].is_empty():
        return None
    rows = inputs[Confusion].filter(model=model)
    if rows.is_empty():
        return None
    labels = [label for label in Label if str(label) in {*rows["truth"], *rows["given"]}]
    counts = np.zeros((len(labels), len(labels)))
    for row in rows.iter_rows(named=True):
        counts[labels.index(Label(row["truth"])), labels.index(Label(row["given"]))] = row["n"]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axes = new_figure(0.9 + 0.42 * len(labels))
    names = [LABEL_NAMES[label] for label in labels]
    for (row, column), share in np.ndenumerate(shares):
        corner = (column - 0.5, row - 0.5)
        colour = SEQUENTIAL(share) if share else PAPER
        axes.add_patch(Rectangle(corner, 1, 1, facecolor=colour, edgecolor=PAPER))
        axes.text(
            column, row, count(int(counts[row, column])), ha="center", va="center", fontsize=7.5,
            color=CELL_LIGHT if share > _DARK else CELL_DARK if share else MUTED,
        )  # fmt: skip
    axes.set_xlim(-0.5, len(labels) - 0.5)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xticks(range(len(labels)), [name.replace(" ", "\n") for name in names])
    axes.set_yticks(range(len(labels)), names)
    axes.tick_params(length=0)
    axes.set_xlabel("Label of the classifier")
    for spine in axes.spines.values():
        spine.set_visible(False)
    yardstick = "people" if rows["yardstick"][0] == "human" else "imported labels"
    return Drawing(
        kind="confusion",
        stem=stem_of("confusion", model),
        model=model,
        title=f"Classifier against {yardstick}: {what}",
        alt=_alt(what, yardstick, names, shares),
        figure=figure,
    )


def _alt(what: str, yardstick: str, names: list[str], shares: np.ndarray) -> str:
    parts = []
    for at, name in enumerate(names):
        others = [
            f"{names[column].lower()} {percent(share)}"
            for column, share in enumerate(shares[at])
            if share and column != at
        ]
        parts.append(f"{name}: {percent(shares[at, at])} found" + "".join(f", {o}" for o in others))
    return f"What the classifier says of each class of {yardstick}, {what}. " + (
        "; ".join(parts) + "."
    )
