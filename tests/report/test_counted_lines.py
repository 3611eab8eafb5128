"""What the terminal says of responses that count, cut off or filtered in one group more often."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from whole_study import WholeStudy, measure

from refusal_parity.report.summary import summary_lines

if TYPE_CHECKING:
    from pathlib import Path

NAMES = {group: {f"{group.title()}{at}": "man" for at in range(6)} for group in ("north", "south")}
OF_THE_FILTER = (
    "Refused by the service's own filter were 100.0 % of the responses for south names and 0.0 % "
    "for north names; the shares differ (adjusted p = 0.002)."
)
CUT_OFF = (
    "Cut off at the longest response that was allowed were 100.0 % of the responses for south "
    "names and 0.0 % for north names; the shares differ (adjusted p = 0.002)."
)
OF_MANY = (
    "Of 4 models (a, b, c and 1 more) more of one group than of another was cut off or refused by "
    "the service: see the report."
)


@pytest.mark.parametrize(
    ("models", "south", "analysis", "words"),
    [
        # Of 924 splits of twelve names two are as uneven.
        ("m", "f", {}, f"which count as refusals. m: {OF_THE_FILTER}"),
        ("m", "A", {}, f"all 48 responses have a label. m: {CUT_OFF}"),
        ("m", "A", {"truncated": "leave_out"}, "or allow more tokens (max_tokens)."),
        ("m", "a", {}, "all 48 responses have a label."),
        ("abcd", "A", {}, f"all 192 responses have a label. {OF_MANY}"),
    ],
    ids=["filtered", "cut off", "cut off and left out", "neither", "many models"],
)
def test_the_terminal_says_whose_responses_count_though_something_befell_them(
    models: str, south: str, analysis: dict[str, str], words: str, tmp_path: Path
) -> None:
    inputs = measure(
        WholeStudy(
            groups=NAMES,
            say=lambda _, group, *__: south if group == "south" else "a",
            templates=("plain",) * 4,
            models=tuple(models),
            analysis={"dimensions": {"group": {"reference": "north"}}, "selfcheck": 0, **analysis},
        ),
        tmp_path,
    )
    assert summary_lines(inputs, tmp_path / "report.html")[2].endswith(words)
