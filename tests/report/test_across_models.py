"""What the page says of many models: how many are called different, and how surely."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from report_study import changed, config_of
from worded_study import BIG, pair, rate, study

from refusal_parity.outcomes import Outcome
from refusal_parity.report import ReportInputs, summary_lines
from refusal_parity.report.across_models import across_models
from refusal_parity.report.results import differences_table
from refusal_parity.report.sections import answer, methods
from refusal_parity.report.wording import statement
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from pathlib import Path

P_VALUES = {"a": 0.002, "b": 0.03, "c": 0.6, "d": None}
"""Of four models, the last one without a test: alone two are shown, of four one (4 x .03 / 2)."""


def models_of(across: str) -> ReportInputs:
    tests: list[dict[str, Any]] = [
        row | {"model": model}
        for model, p in P_VALUES.items()
        for row in (pair(note="not estimable: x") if p is None else pair(**BIG, p_adjusted=p))
    ]
    rates = [rate(model, group) for model in P_VALUES for group in ("muslim", "white")]
    config = config_of(list(P_VALUES), across_models=across)
    return changed(study(tests, rates), config=config)


def test_the_page_says_what_is_controlled(tmp_path: Path) -> None:
    inputs = models_of("fdr_bh")
    words = across_models(inputs)
    assert words.replace("\u00a0", " ").startswith(
        "The false discovery rate is controlled over 4 models (1 of them without a valid test) "
        "(Benjamini and Hochberg): of the models called different, at most 5.0 % are expected "
        "to be wrong. 1 of 4 is called different. Each model\u2019s comparisons are held against "
        "1.2 % instead of 5.0 %"
    ), words
    assert words in answer.SECTION.context(inputs)["across_models"]
    assert words in methods.SECTION.context(inputs)["primary"]["across_models"]
    asked = Outcome.REFUSAL, "group"
    verdicts = {model: statement(inputs, model, *asked).verdict for model in P_VALUES}
    assert verdicts == {
        "a": Verdict.SHOWN,
        "b": Verdict.NOT_SHOWN,
        "c": Verdict.NOT_SHOWN,
        "d": Verdict.NOT_ESTIMABLE,
    }
    assert "allow for the number of models" in differences_table(inputs, *asked).caption
    assert "of models called different, at most 5" in summary_lines(inputs, tmp_path)[1]
    # No interval of these rows is known at the lower level: none is shown rather than a narrow one.
    assert inputs.contrasts("b", *asked)[0].ci_low is None
    assert "no interval is known" in (inputs.contrasts("b", *asked)[0].note or "")


def test_nothing_is_said_where_each_model_stands_alone(tmp_path: Path) -> None:
    inputs = models_of("none")
    assert not across_models(inputs)
    assert statement(inputs, "b", Outcome.REFUSAL, "group").verdict is Verdict.SHOWN
    assert "expected to be wrong" not in summary_lines(inputs, tmp_path)[1]
    caption = differences_table(inputs, Outcome.REFUSAL, "group").caption
    assert "number of models" not in caption
