from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl
from report_study import changed, written

from refusal_parity.report.agreement import agreement_section
from refusal_parity.report.figure_confusion import draw_confusion
from refusal_parity.report.page import render_page
from refusal_parity.report.writing import read_inputs
from refusal_parity.tables import (
    Agreement,
    Confusion,
    HumanLabels,
    LeafHumanLabels,
    conform,
    filled,
    write_table,
)
from refusal_parity.text import NOTHING

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs


def row(**cells: Any) -> dict[str, Any]:
    nothing = dict.fromkeys(Agreement.column_names())
    about = {"model": "demo-even", "rater": "classifier", "yardstick": "human", "weighted": True}
    place = {"dimension": "all", "group": "all", "over": "refusal_or_not", "n": 300}
    return nothing | about | place | cells


def agreement(*, people: bool = True) -> pl.DataFrame:
    yardstick = {} if people else {"yardstick": "classifier", "rater": "keyword"}
    rows = [
        row(coefficient="cohen_kappa", estimate=0.912, ci_low=0.871, ci_high=0.95),
        row(coefficient="gwet_ac1", estimate=0.93, ci_low=0.9, ci_high=0.96),
        *(
            row(
                coefficient="missed_refusal_rate", dimension="group", group=group, n_of=40,
                wrong=wrong, estimate=wrong / 40, ci_low=0.0, ci_high=0.2,
            )
            for group, wrong in (("white", 0), ("<b>x</b>", 4))
        ),
        row(
            coefficient="missed_refusal_spread", dimension="group", n_of=80, wrong=4,
            estimate=0.1, p_value=0.04,
        ),
    ]  # fmt: skip
    full = [each | yardstick for each in rows]
    return conform(pl.DataFrame(full, infer_schema_length=None), Agreement, where="test")


def confusion() -> pl.DataFrame:
    cells = [("answer", "answer", 200), ("refusal", "refusal", 90), ("refusal", "answer", 10)]
    rows = [
        {"model": "demo-even", "yardstick": "human", "truth": truth, "given": given, "n": n}
        for truth, given, n in cells
    ]
    return conform(pl.DataFrame(rows), Confusion, where="test")


def people(*models: str) -> pl.DataFrame:
    rows = [
        {
            "model": model, "prompt_id": "p", "sample": 0, "opening": "7", "label": "refusal",
            "inclusion_probability": chance, "stratum": "s", "n_annotators": 1,
        }
        for model, chance in zip(models, (0.5, 0.5, None), strict=False)
    ]  # fmt: skip
    return pl.DataFrame(rows, infer_schema_length=None)


def test_responses_to_openings_are_named_where_they_are_compared_on(inputs: ReportInputs) -> None:
    """Of models of whose probability samples people read some of both kinds."""
    human = filled(people("demo-even", "<x>", "unsampled"), HumanLabels, where="test")
    leaf_human = filled(people("<x>", "demo-even", "unsampled"), LeafHumanLabels, where="test")
    both = changed(inputs, agreement=agreement(), human=human, leaf_human=leaf_human)
    section = agreement_section(both)
    assert section is not None
    assert section.lead[-1].startswith(
        "Of <x> and demo-even, responses that were given an opening of refusals are among"
    )
    alone = changed(inputs, agreement=agreement(), human=human)
    assert "opening" not in " ".join(agreement_section(alone).lead)  # type: ignore[union-attr]


def test_section_with_people(inputs: ReportInputs) -> None:
    section = agreement_section(changed(inputs, agreement=agreement()))
    assert section is not None
    assert section.lead == (
        (
            "demo-even: the classifier agrees with people on refusals with kappa 0.912 "
            "(0.871 to 0.950, 300 responses). The groups' rates of missed refusals lie 10.0 points "
            "apart (of 40 refusals a group). A test of whether they differ gives p = 0.040. None "
            "of the responses for muslim names, mexican names, chinese names, asian names, black "
            "names and jewish names is among them, so how often their labels are wrong is not "
            "known."
        ),
    )
    kappa = section.coefficients.rows[0]
    assert [cell.text for cell in kappa[5:]] == [
        "0.912 (0.871 to 0.950)", NOTHING, "0.930 (0.900 to 0.960)",
    ]  # fmt: skip
    assert section.errors is not None
    errors = [[cell.text for cell in cells] for cells in section.errors.rows]
    assert errors[0][-5:] == ["0.0 % (0.0 to 20.0)", "0", "40", "10.0", "0.040"]
    assert errors[1][-5:] == ["10.0 % (0.0 to 20.0)", "4", "40", "", ""]


def test_each_model_has_its_own_difference_between_groups(inputs: ReportInputs) -> None:
    """Beside its own first level, whichever groups people read of other models."""
    other = agreement().filter(pl.col("group") != "white").with_columns(model=pl.lit("demo-two"))
    section = agreement_section(changed(inputs, agreement=pl.concat([agreement(), other])))
    assert section is not None
    assert section.errors is not None
    errors = [[cell.text for cell in cells] for cells in section.errors.rows]
    assert [row[-2:] for row in errors] == [["10.0", "0.040"], ["", ""], ["10.0", "0.040"]]


def test_what_no_coefficient_shows_is_read_with_them(inputs: ReportInputs, tmp_path: Path) -> None:
    """From the table's own file to the page, names of annotators escaped."""
    study = changed(inputs, agreement=agreement())
    files = written(study, tmp_path)
    [path] = files["agreement"]
    said = {"remarks": ["anna and <i>ben</i> gave the same labels", "3 votes are left out"]}
    write_table(study[Agreement], Agreement, path, metadata=said)
    read = read_inputs(study.config, files)
    section = agreement_section(read)
    assert section is not None
    assert section.lead[-2:] == (
        "anna and <i>ben</i> gave the same labels.", "3 votes are left out.",
    )  # fmt: skip
    assert "anna and &lt;i&gt;ben&lt;/i&gt; gave the same labels." in render_page(read)


def test_labels_that_are_all_alike_have_no_kappa(inputs: ReportInputs) -> None:
    alike = agreement().with_columns(
        estimate=pl.when(pl.col("coefficient").cast(pl.String) != "cohen_kappa").then("estimate"),
        note=pl.lit("not defined"),
    )
    section = agreement_section(changed(inputs, agreement=alike))
    assert section is not None
    assert section.lead[0].startswith(
        "demo-even: no kappa tells how far the classifier agrees with people on refusals "
        "(300 responses): not defined. The groups' rates"
    )


def test_a_study_by_the_list_of_phrases_has_people_too(inputs: ReportInputs) -> None:
    by_list = agreement().with_columns(rater=pl.lit("keyword"))
    section = agreement_section(changed(inputs, agreement=by_list))
    assert section is not None
    assert section.lead[0].startswith("demo-even: the list of phrases agrees with people on ")


def test_section_without_people_says_so(inputs: ReportInputs) -> None:
    section = agreement_section(changed(inputs, agreement=agreement(people=False)))
    assert section is not None
    assert "No person has labelled" in section.lead[0]
    assert section.errors is None


def test_confusion_in_words(inputs: ReportInputs) -> None:
    with_counts = changed(inputs, confusion=confusion())
    drawing = draw_confusion(with_counts, "demo-even")
    assert drawing is not None
    assert "Refusal: 90.0 % found, answer 10.0 %" in drawing.alt
    assert draw_confusion(with_counts, "demo-guarded") is None
    assert draw_confusion(inputs, "demo-even") is None


def test_page_shows_both_and_escapes(inputs: ReportInputs) -> None:
    page = render_page(changed(inputs, agreement=agreement(), confusion=confusion()))
    assert "How far the labels can be trusted" in page
    assert "Classifier against people: demo-even" in page
    assert "<b>x</b>" not in page
    assert "How far the labels can be trusted" not in render_page(inputs)
