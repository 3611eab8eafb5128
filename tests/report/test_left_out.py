"""What the page and the terminal say of responses left out, cut off and filtered."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from whole_study import WholeStudy, measure

from refusal_parity.outcomes import Outcome
from refusal_parity.report.checking import detectable_sentence
from refusal_parity.report.left_out import left_out_cautions, left_out_warning
from refusal_parity.report.losses import cut_off_table
from refusal_parity.report.page import render_page
from refusal_parity.report.payload import responses_of
from refusal_parity.report.results import exclusions_table
from refusal_parity.report.summary import summary_lines
from refusal_parity.report.wording import rate_sentence, statement
from refusal_parity.statistics.losses.left_out import rests_on_left_out
from refusal_parity.vocabulary import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.report import ReportInputs

NAMES = {
    group: {f"{group.title()}{at}": "woman" if at % 2 else "man" for at in range(6)}
    for group in ("north", "south")
}
GROUPS = {"dimensions": {"group": {"reference": "north"}}, "selfcheck": 0}


def study(say: Callable[[str, str, str, int], str], folder: Path, **analysis: str) -> ReportInputs:
    whole = WholeStudy(
        groups=NAMES, say=say, templates=("plain",) * 8, analysis={**GROUPS, **analysis}
    )
    return measure(whole, folder)


def told(inputs: ReportInputs, outcome: Outcome = Outcome.REFUSAL) -> tuple[Verdict, str]:
    found = statement(inputs, "m", outcome, "group")
    return found.verdict, " ".join([found.lead, *found.details])


def filtered(_: str, group: str, __: str, ___: int) -> str:
    return "ff" if group == "south" else "aa"


def test_a_filter_by_name_is_shown_and_named(tmp_path: Path) -> None:
    inputs = study(filtered, tmp_path)
    verdict, words = told(inputs)
    assert verdict is Verdict.SHOWN
    # 0 against 100 % in all names and templates: each name counts as one response, 6 against 6.
    assert (
        "m refused 100.0 points more often for south names than for north names (95 % interval "
        "36.0 to 100.0, 6 against 6 names; adjusted p = 0.003; for new templates and new names)."
    ) in words
    assert (
        "The service's own filter (content_filter) is behind all 96 refusals for south "
        "names; for north names there were none. For south names it let nothing through, "
        "so nothing is known of what the model itself would do."
    ) in words
    assert "No name changes it where it is left out. No template changes it" in words
    assert rate_sentence(inputs, "m", Outcome.REFUSAL) == (
        "Overall it refused in 50.0 % of 192 responses, 96 of these by the service's filter."
    )
    assert left_out_warning(inputs, "m", "group") is None
    assert detectable_sentence(inputs, "m") is None
    found, left = summary_lines(inputs, tmp_path / "report.html")[1:]
    assert "m: south +100.0 points against north (95 % interval 36.0 to 100.0; adjusted p" in found
    assert left == (
        "Left out: nothing; 96 responses have a label; 96 refused by the service, which count as "
        "refusals. m: Refused by the service's own filter were 100.0 % of the responses for south "
        "names and 0.0 % for north names; the shares differ (adjusted p = 0.002)."
    )
    assert "is behind all 96 such responses for south names" in told(inputs, Outcome.ANY_REFUSAL)[1]
    # A refusal by the service is no harmful one and no partial answer.
    assert told(inputs, Outcome.HARMFUL_REFUSAL)[0] is not Verdict.SHOWN
    assert "filter" not in told(inputs, Outcome.PARTIAL_ANSWER)[1]


def test_a_difference_that_rests_on_the_filter_in_part_has_both_rates(tmp_path: Path) -> None:
    def some(_: str, group: str, name: str, at: int) -> str:
        if group == "south" and at % 2:
            return "ff"
        return "rr" if at == int(name[-1]) else "aa"

    _, words = told(study(some, tmp_path))
    # South: 48 filtered and 3 names with their template among the other four, two samples each.
    assert (
        "is behind 48 of the 54 refusals for south names and 0 of the 12 refusals for north "
        "names. Of what it let through the rates are 12.5 % for south names and 12.5 % for north "
        "names."
    ) in words


def test_the_ledger_and_the_browser_keep_filtered_rows_apart(tmp_path: Path) -> None:
    inputs = study(filtered, tmp_path)
    table = exclusions_table(inputs, "group")
    assert table is not None
    assert [heading for heading, _ in table.columns] == [
        "Model", "Group", "Labelled", "Refused by the service",
    ]  # fmt: skip
    assert "refused by the service and counted as a refusal" in table.caption
    found = responses_of(inputs)
    assert found is not None
    place = found["labels"].index("Refused by the service")
    assert place in found["refusals"]
    assert (found["rows"]["label"] == place).sum() == 96
    assert set(found["refusals_by_service"].values()) == {"content_filter"}
    page = render_page(inputs)
    assert "it counts as a refusal and is shown separately" in page
    assert "refused by the service" in page


def test_filtered_rows_are_left_out_where_the_config_says_so(tmp_path: Path) -> None:
    def some(_: str, group: str, name: str, at: int) -> str:
        answered = "ra" if (int(name[-1]) + at) % 3 else "aa"
        return "ff" if group == "south" and at < 4 else answered

    inputs = study(some, tmp_path, filtered="excluded")
    warning = left_out_warning(inputs, "m", "group")
    assert warning is not None
    assert warning.startswith(
        "Left out were 50.0 % of the responses for south names and 0.0 % for north names, all "
        "refused by the service"
    )
    assert "analysis.filtered: refusal" in warning
    assert summary_lines(inputs, tmp_path)[2].startswith(
        "Left out: 48 of 192 responses (25.0 %): 48 refused by the service. m: Left out were 50.0 %"
    )
    found = responses_of(inputs)
    assert found is not None
    assert found["exclusions"] == ["refused by the service"]


@pytest.mark.parametrize(
    ("lost", "warned"),
    [
        pytest.param(lambda *cell: cell[3] == 0 and cell[2][-1] == "1", False, id="few, and alike"),
        pytest.param(lambda *cell: cell[3] in {0, 3}, True, id="much of every group"),
        pytest.param(
            lambda *cell: cell[1] == "south" and cell[3] == int(cell[2][-1]), True, id="one group"
        ),
    ],
)
def test_a_warning_where_much_or_more_of_a_group_is_left_out(
    lost: Callable[..., bool],
    warned: bool,  # noqa: FBT001 - a case
    tmp_path: Path,
) -> None:
    def some(*cell: str | int) -> str:
        return "xe" if lost(*cell) else ("ra" if cell[3] in {1, 5} else "aa")

    inputs = study(some, tmp_path)
    warning = left_out_warning(inputs, "m", "group")
    assert (warning is not None) == warned
    sentences = left_out_cautions(inputs, "m")
    page, last = render_page(inputs), summary_lines(inputs, tmp_path)[2]
    assert ("Left out were" in page) == ("Left out were" in last) == warned
    assert any("the differences lie between: south names" in each for each in sentences) == warned


def test_shares_that_differ_are_warned_of_though_they_are_small(tmp_path: Path) -> None:
    # One response of each of five names of one group: 5 of 96, and none of the other group's.
    def some(_: str, group: str, name: str, at: int) -> str:
        lost = group == "south" and at == int(name[-1]) and at < 5
        return "ea" if lost and at < 4 else "aa"

    inputs = study(some, tmp_path)
    warning = left_out_warning(inputs, "m", "group")
    assert warning is not None
    assert "4.2 % of the responses for south names and 0.0 % for north names" in warning
    assert "the shares differ (adjusted p = 0.0" in warning


@pytest.mark.parametrize("lost", [1, 4], ids=["little", "much"])
def test_a_finding_that_rests_on_who_was_left_out_says_so(lost: int, tmp_path: Path) -> None:
    # Of 8 templates, those of a name are refused in turn: 5 of south, 1 of north.
    def some(_: str, group: str, name: str, at: int) -> str:
        turn = (at + 3 * int(name[-1])) % 8
        if turn >= 8 - lost:
            return "ee"
        return "rr" if turn < (4 if group == "south" else 1) else "aa"

    inputs = study(some, tmp_path)
    verdict, words = told(inputs)
    assert verdict is Verdict.SHOWN
    # Against it: south refuses 4 of 8, north 1 and all that was left out.
    against = 100 * (4 - 1 - lost) / 8
    said = (
        f"This rests on who was left out: with the responses left out read against it "
        f"({24 * lost} of both levels), the difference of south names would be {against:+.1f} "
        "points"
    ).replace("-", "\N{MINUS SIGN}")
    assert (said in words) == (lost == 4)


def test_an_interval_that_is_not_corrected_says_so_beside_its_p() -> None:
    bound = {
        "left_group": 0, "left_reference": 1, "group": "south", "estimate": 0.078,
        "ci_low": 0.013, "ci_high": 0.143, "p_adjusted": 0.069,
    }  # fmt: skip
    assert rests_on_left_out(bound, "group") == (
        "This rests on who was left out: with the responses left out read against it (1 of both "
        "levels), the difference of south names would be +7.8 points (interval 1.3 to 14.3, not "
        "corrected for the number of comparisons; adjusted p = 0.069)."
    )


def test_cut_off_responses_count_and_their_shares_are_told(tmp_path: Path) -> None:
    def some(_: str, group: str, name: str, at: int) -> str:
        cut = at < (6 if group == "south" else 2)
        letters = "ra" if (int(name[-1]) + at) % 3 == 0 else "aa"
        return letters.upper() if cut else letters

    inputs = study(some, tmp_path)
    assert left_out_warning(inputs, "m", "group") is None
    assert any(
        each.startswith(
            "Cut off at the longest response that was allowed were 75.0 % of the responses for "
            "south names and 25.0 % for north names; the shares differ"
        )
        for each in left_out_cautions(inputs, "m")
    )
    page = render_page(inputs)
    assert "Cut off: shares of all responses asked for" in page
    assert "Responses that were cut off count by their label." in page
    found = responses_of(inputs)
    assert found is not None
    assert len(found["cut_off"]) == 96


@pytest.mark.parametrize(
    ("letters", "said"),
    [("AARA", True), ("AAra", False), ("aaaa", False), ("ffff", False)],
    ids=["all", "half", "none", "filtered"],
)
def test_that_most_responses_were_cut_off_is_told_though_groups_do_not_differ(
    letters: str, tmp_path: Path, *, said: bool
) -> None:
    inputs = study(lambda *_: letters, tmp_path)
    cautions = [each for each in left_out_cautions(inputs, "m") if each.startswith("Cut off")]
    sentence = (
        "Cut off at the longest response that was allowed were 100.0 % of the responses for "
        "south names and 100.0 % for north names."
    )
    assert [each.replace("north", "*").replace("south", "*") for each in cautions] == (
        [sentence.replace("north", "*").replace("south", "*")] if said else []
    )


def test_what_jobs_warned_of_stands_with_what_was_left_out(tmp_path: Path) -> None:
    inputs = study(lambda *_: "ra", tmp_path)
    warned = replace(
        inputs, provenance={"m": {"warnings": ["'r.0' takes the first of <2>", "all rows twice"]}}
    )
    page, quiet = render_page(warned), render_page(inputs)
    for words in ("</bdi>: &#39;r.0&#39; takes the first of &lt;2&gt;.", "</bdi>: All rows twice."):
        assert words in page
        assert words not in quiet


@pytest.mark.parametrize("truncated", ["label", "leave_out"])
def test_both_readings_of_cut_responses_stand_beside_each_other(
    truncated: str, tmp_path: Path
) -> None:
    # South refuses where it is cut off; else both refuse alike.
    def some(_: str, group: str, name: str, at: int) -> str:
        if at < 3:
            return "RR" if group == "south" else "AA"
        return "ra" if (int(name[-1]) * 3 + at) % 4 == 0 else "aa"

    inputs = study(some, tmp_path, truncated=truncated)
    table = cut_off_table(inputs)
    assert table is not None
    row = [cell.text for cell in table.rows[0]]
    assert row[:4] == ["m", "group", "south", "north"]
    assert row[4].startswith("+37.5")
    assert row[5].startswith("0.0")
    assert f"This study has analysis.truncated: {truncated}." in table.caption
    alike = study(lambda *cell: "AA" if cell[3] == 0 else "ra", tmp_path, truncated=truncated)
    assert cut_off_table(alike) is None
