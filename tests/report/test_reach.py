from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest
from report_study import changed, config_of

from refusal_parity.report.reach import Reach, reach, reach_warnings, unlike_line, unlike_taught
from refusal_parity.report.sections.reach import SECTION
from refusal_parity.report.summary import summary_lines
from refusal_parity.tables import Labels, Prompts, Responses

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report.inputs import ReportInputs


def with_unlike(inputs: ReportInputs, share: float) -> ReportInputs:
    """A study of which a share of the first model's responses is unlike all learnt from."""
    model = inputs.models[0]
    labels = inputs[Labels]
    number = pl.int_range(pl.len()).over("model")
    ours = pl.col("model") == model
    size = labels.filter(ours).height
    return changed(
        inputs,
        labels=labels.with_columns(
            unseen=pl.lit(0.5), distance=pl.lit(0.75), unsure=ours & (number < share * size)
        ),
    )


@pytest.mark.parametrize(("share", "warned"), [(0.0, False), (0.04, False), (0.2, True)])
def test_a_model_beyond_the_reach_is_named(
    inputs: ReportInputs, share: float, *, warned: bool
) -> None:
    sentences = list(reach_warnings(with_unlike(inputs, share)))
    assert len(sentences) == warned
    for sentence in sentences:
        assert sentence.startswith(inputs.models[0])
        assert "20.0 %" in sentence


def of_level(inputs: ReportInputs, level: str, **labels: str) -> ReportInputs:
    """A study of which a fifth of the first model's responses about one level is unlike all."""
    at = (
        inputs[Labels]["prompt_id"]
        .to_frame()
        .join(inputs[Prompts].select("prompt_id", "group"), on="prompt_id", maintain_order="left")
    )
    number = pl.int_range(pl.len()).over("model", at["group"])
    ours = (pl.col("model") == inputs.models[0]) & (at["group"] == level)
    given = inputs[Labels].with_columns(
        unseen=pl.lit(0.5), distance=pl.lit(0.75), unsure=ours & (number % 5 == 0)
    )
    return changed(
        inputs, labels=given.with_columns(pl.lit(each).alias(key) for key, each in labels.items())
    )


def test_a_level_beyond_the_reach_is_named_where_all_together_are_within(
    inputs: ReportInputs,
) -> None:
    study, model = of_level(inputs, "muslim"), inputs.models[0]
    by_level = reach(study, model, "group")
    whole, muslim, white = (by_level[each] for each in ("all", "muslim", "white"))
    assert muslim.share == pytest.approx(0.2, abs=0.01)
    assert white.share == 0
    assert whole.unlike == muslim.unlike
    assert not whole.beyond
    assert muslim.beyond
    [sentence] = reach_warnings(study)
    part = "responses that the classifier read (20.1 % for muslim names) are unlike all that taught"
    assert part in sentence
    [caution] = unlike_taught(study, model, study.contrasts(model, study.outcome, "group"))
    assert part in caution
    assert unlike_taught(study, inputs.models[1], []) == []


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ([], ""),
        (["a"], "; a: 20.0 % of the "),
        (["a", "b"], " than for others; b: 20.0 % of the "),
        (list("abcde"), "; of 5 models (a, b, c and 2 more) many responses are unlike all that "),
    ],
    ids=["none", "one", "two", "many"],
)
def test_the_terminal_says_what_is_beyond_the_reach(
    inputs: ReportInputs, models: list[str], said: str, tmp_path: Path
) -> None:
    labels = with_unlike(inputs, 0.2)[Labels].filter(model=inputs.models[0]).head(500)
    none = labels.with_columns(model=pl.lit("z"), unsure=pl.lit(False))  # noqa: FBT003 - no row is
    rows = [labels.with_columns(model=pl.lit(model)) for model in models]
    every_fifth = pl.int_range(pl.len()) % 5 == 0
    given = pl.concat([*(each.with_columns(unsure=every_fifth) for each in rows), none])
    study = replace(changed(inputs, labels=given), config=config_of([*models, "z"], selfcheck=0))
    line = unlike_line(study)
    assert said in line
    assert bool(line) is bool(models)
    assert f"{line}." in summary_lines(study, tmp_path / "report.html")[1]


def test_a_few_responses_are_no_level_beyond_the_reach() -> None:
    assert not Reach(29, 29, 0.5, 0.5).beyond
    assert Reach(30, 2, 0.5, 0.5).beyond
    assert not Reach(40, 2, 0.5, 0.5).beyond


@pytest.mark.parametrize("source", ["human", "imported"])
def test_labels_that_people_gave_are_beyond_no_reach(inputs: ReportInputs, source: str) -> None:
    """The section still says how far the classifier is from such responses."""
    study = of_level(inputs, "muslim", label_source=source)
    assert len(reach_warnings(study)) == 1
    assert unlike_taught(study, inputs.models[0], []) == []


def test_people_who_correct_all_differences_leave_nothing_to_say(inputs: ReportInputs) -> None:
    study, model = of_level(inputs, "muslim"), inputs.models[0]
    [first, *others] = [
        replace(each, human_labels=100, uncorrected=None)
        for each in study.contrasts(model, study.outcome, "group")
    ]
    assert unlike_taught(study, model, [first, *others]) == []
    machine = replace(first, uncorrected="too few")
    assert len(unlike_taught(study, model, [machine, *others])) == 1


def test_the_reach_of_each_level_has_a_row(inputs: ReportInputs) -> None:
    context = SECTION.context(of_level(inputs, "muslim"))
    assert context is not None
    rows = [[cell.text for cell in row] for row in context["reach"].rows]
    levels = ["all", *inputs.levels("group")]
    assert [row[:2] for row in rows] == [[m, level] for m in inputs.models for level in levels]
    assert rows[1 + inputs.levels("group").index("muslim")][-1].startswith("2")


def test_without_a_classifier_there_is_nothing_to_say(inputs: ReportInputs) -> None:
    labels = inputs[Labels].with_columns(unsure=pl.lit(None, pl.Boolean))
    assert SECTION.context(changed(inputs, labels=labels)) is None


def test_calibration_by_hand(inputs: ReportInputs) -> None:
    """All are said to be refusals by 0.25 (`report_study`), and all are."""
    responses = inputs[Responses].with_columns(
        imported_label=pl.lit("refusal", inputs[Responses].schema["imported_label"])
    )
    study = changed(with_unlike(inputs, 0), responses=responses)
    context = SECTION.context(study)
    assert context is not None
    table = context["calibration"]
    assert {row[1].text for row in table.rows} == {"all", *inputs.levels("group")}
    first = [cell.sort for cell in table.rows[0]][3:]
    assert first == pytest.approx([0.25, 1.0, 0.75])
