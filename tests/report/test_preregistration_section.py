from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

from refusal_parity.preregistration.files import read_preregistrations, write_preregistration
from refusal_parity.preregistration.record import Preregistration, record
from refusal_parity.report.page import render_page
from refusal_parity.tables import Prompts, Responses

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.report import ReportInputs


def _record(inputs: ReportInputs) -> Preregistration:
    return record(
        inputs.config,
        inputs[Prompts],
        written_at="2031-02-03T04:05:06Z",
        plan=["finds much"],
        weights={},
        responses_before=dict.fromkeys(inputs.models, 0),
    )


def _page(inputs: ReportInputs) -> str:
    text = re.sub(r"<[^>]+>", "", render_page(inputs, drawings=[]))
    return " ".join(unescape(text).replace("\N{NO-BREAK SPACE}", " ").split())


def _registered(inputs: ReportInputs, folder: Path, **changes: Any) -> ReportInputs:
    rows = dict(inputs[Responses].group_by("model").len().iter_rows())
    made = _record(inputs).model_copy(update={"responses": rows} | changes)
    path, _ = write_preregistration(made, folder)
    return replace(inputs, preregistrations=tuple(read_preregistrations([path])))


def test_the_page_says_that_a_study_was_never_registered(inputs: ReportInputs) -> None:
    assert "No pre-registration lies in the study" in _page(inputs)


def test_the_page_says_what_agrees_and_what_differs(inputs: ReportInputs, tmp_path: Path) -> None:
    same = _page(_registered(inputs, tmp_path / "a"))
    assert "Registered on 2031-02-03 at 04:05:06 UTC, before any response was there" in same
    assert "level of the tests and margin are as registered." in same
    assert "What differs from the pre-registration" not in same
    model = inputs.models[0]
    said = _record(inputs).question.model_copy(update={"margin": 0.07})
    other = _page(
        _registered(
            inputs, tmp_path / "b", question=said, responses={model: 12},
            responses_before={model: 1234, "<i>": None},
        )
    )  # fmt: skip
    assert f"when responses were there already (1,234 of {model})" in other
    assert "margin: 0.07 was registered, the study has 0.05" in other
    assert "take the answer as exploratory" in other
    assert f"Of {model}, 12 responses were planned, and" in other
    assert "SHA-256 of the file" in other
