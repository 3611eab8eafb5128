"""The page of a study that grows in stages."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from refusal_parity.config import StopRule
from refusal_parity.config.opened import OpenedStages, Opening
from refusal_parity.report.page import render_page
from refusal_parity.report.summary import summary_lines
from refusal_parity.tables import Precision, conform

if TYPE_CHECKING:
    from refusal_parity.report import ReportInputs

AT = "2031-02-03T04:05:06Z"


def _grown(
    inputs: ReportInputs, widths: list[float | None], *, aim: float = 0.06, asked: float = 0.06
) -> ReportInputs:
    """The study at the stage of so many widths, the same in every model but for a point."""
    rule = StopRule(half_width=aim, grow="templates", stages=[20, 26, 32])
    analysis = inputs.config.analysis.model_copy(update={"stop_when": rule.at(len(widths))})
    rows = [
        {
            "model": model, "stage": stage, "group": group, "reference": "white",
            "outcome": "refusal", "dimension": "group", "size": rule.stages[stage - 1],
            "responses": 960, "half_width": width and width - 0.01 * at - 0.001 * place,
            "enough": width is not None and width - 0.01 * at - 0.001 * place <= aim,
        }
        for at, model in enumerate(inputs.models)
        for stage, width in enumerate(widths, start=1)
        for place, group in enumerate(("black", "muslim"))
    ]  # fmt: skip
    table = conform(pl.DataFrame(rows, infer_schema_length=None), Precision, where="precision")
    opened = [
        Opening(
            stage=stage,
            at=AT,
            aim=asked,
            half_widths=dict.fromkeys(inputs.models, widths[stage - 2]),
        )
        for stage in range(2, len(widths) + 1)
    ]
    sizes = tuple(rule.stages[: len(widths)])
    said = OpenedStages(grow="templates", seed=1, sizes=sizes, opened=tuple(opened))
    return replace(
        inputs.with_tables({Precision: table}),
        config=inputs.config.model_copy(update={"analysis": analysis}),
        opened=said if opened else None,
    )


def _page(inputs: ReportInputs) -> str:
    text = re.sub(r"<[^>]+>", "", render_page(inputs, drawings=[]))
    return " ".join(unescape(text).replace("\N{NO-BREAK SPACE}", " ").split())


@pytest.mark.parametrize(
    ("widths", "changes", "said", "unsaid"),
    [
        (
            [0.083],
            {},
            [
                "20 templates, 26 templates, at most 32 templates",
                "no simultaneous interval of refusal by group, of any model, is wider than ±6.0",
                "At stage 1 of 3 (20 templates) intervals are still wider than ±6.0 points",
                "stage 2 is due (26 templates)",
                "These are interim results, of stage 1 of 3: stage 2 is due",
                "±8.3 points",
                "The rule looks at intervals that people's labels have not corrected; one that",
            ],
            ["was opened on", "was changed"],
        ),
        (
            [0.083, 0.055],
            {},
            [
                "It stopped at stage 2 of 3 (26 templates): no interval is wider than ±6.0 points",
                "Stage 2 was opened on 2031-02-03 at 04:05:06 UTC, on these widest intervals:",
                "intervals: demo-guarded ±8.3 points, demo-even ±8.3 points.",
            ],
            ["interim", "was changed", "narrow enough already"],
        ),
        (
            [0.083, 0.07, None],
            {},
            [
                "It ended at stage 3 of 3 (32 templates), the last, with intervals not known",
                "not known (demo-guarded with a difference that is not known, demo-even",
                "0 of 2 comparisons",
            ],
            ["interim", "with intervals wider"],
        ),
        ([0.055, 0.05], {}, ["Stage 1 was narrow enough already"], ["interim"]),
        (
            [0.083, 0.055],
            {"asked": 0.04},
            ["At that time ±4.0 points were asked for, and now ±6.0: the rule was changed"],
            [],
        ),
    ],
    ids=["due", "stopped", "ended", "too far", "changed"],
)
def test_the_page_says_where_a_study_stopped_and_why(
    inputs: ReportInputs,
    widths: list[float | None],
    changes: dict[str, Any],
    said: list[str],
    unsaid: list[str],
) -> None:
    page = _page(_grown(inputs, widths, **changes))
    for sentence in said:
        assert sentence in page
    for sentence in unsaid:
        assert sentence not in page


def test_a_study_that_is_drawn_at_once_has_no_stages(inputs: ReportInputs) -> None:
    page = _page(inputs)
    assert "(analysis.stop_when)" not in page
    assert "drawn in stages" not in page
    assert "interim" not in page


@pytest.mark.parametrize(("widths", "due"), [([0.083], True), ([0.083, 0.05], False)])
def test_the_terminal_says_that_a_stage_is_due(
    inputs: ReportInputs, widths: list[float | None], *, due: bool
) -> None:
    lines = summary_lines(_grown(inputs, widths), Path("report.html"))
    assert len(lines) == 3
    assert lines[1].endswith("; interim results, of stage 1 of 3: stage 2 is due.") == due
