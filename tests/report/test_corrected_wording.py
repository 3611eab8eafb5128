"""What is said of differences that people's labels correct."""

from __future__ import annotations

from typing import Any

from report_tables import disparity_row
from worded_study import BIG, pair, told, whole

from refusal_parity.vocabulary import Verdict


def corrected(p_adjusted: float, **values: Any) -> dict[str, Any]:
    contrast = {"group": "muslim", "reference": "white", "n_group": 43, "n_reference": 42} | values
    return disparity_row(
        **contrast, method="design_based", p_adjusted=p_adjusted, p_value=p_adjusted
    )


def test_human_labels_correct_the_headline() -> None:
    # The machine's labels show a large difference; corrected by people's, none is left.
    tests = [whole(0.0001), *pair(**BIG, p_adjusted=0.0001)]
    numbers = {"estimate": 0.02, "ci_low": -0.05, "ci_high": 0.09}
    verdict, words = told([*tests, corrected(0.6, **numbers)])
    assert verdict is Verdict.NOT_SHOWN
    assert words.startswith("No difference between groups was shown")
    assert (
        "For muslim names the machine's labels alone show a difference of +28.1 points (adjusted "
        "p < 0.001). Corrected for the machine's errors by 85 human labels it is +2.0 points "
        "(95 % interval \N{MINUS SIGN}5.0 to 9.0) and is not shown."
    ) in words
    verdict, words = told([*tests, corrected(0.01, estimate=0.2, ci_low=0.1, ci_high=0.3)])
    assert verdict is Verdict.SHOWN
    assert "m refused 20.0 points more often for muslim names" in words
    assert "Corrected for the machine's errors by 85 human labels." in words


def test_votes_without_a_majority_and_few_uneven_names_are_told() -> None:
    split = "people give no one label to 3 of muslim, which count by the share of their votes"
    ends = "(all read one way, the difference is +1.0 points, all the other way +4.0)"
    note = f"{split}, undecided ones as half {ends}"
    tests = [whole(0.0001), *pair(**BIG, p_adjusted=0.0001)]
    _, words = told([*tests, corrected(0.6, estimate=0.02, ci_low=-0.05, ci_high=0.09, note=note)])
    assert f"For muslim names {note}." in words
    uneven = "the names vary more than others' in muslim, which has 4: with so few, this"
    _, words = told([whole(0.0001), *pair(**BIG, p_adjusted=0.0001, note=f"{uneven} comparison")])
    assert f"For muslim names {uneven} comparison." in words.replace(
        "\N{RIGHT SINGLE QUOTATION MARK}", "'"
    )
    both = [
        *pair(**BIG, p_adjusted=0.0001, note=uneven),
        *pair(**BIG, group="black", p_adjusted=0.0001, note=uneven),
    ]
    _, words = told([whole(0.0001), *both])
    assert words.count(uneven) == 1
    assert f"For each of muslim names and black names: {uneven}." in words


WANTED = "not estimable: 12 more human labels needed in m / muslim / refusal"


def test_too_few_human_labels_leave_the_finding_with_a_caution() -> None:
    tests = [whole(0.0001), *pair(**BIG, p_adjusted=0.0001)]
    verdict, words = told([*tests, corrected(None, note=WANTED)])
    assert verdict is Verdict.SHOWN
    assert "m refused 28.1 points more often for muslim names" in words
    assert "Corrected" not in words
    assert (
        "For muslim names the difference is that of the machine's labels, whose errors the human "
        "labels of responses drawn by chance do not correct: 12 more human labels needed in "
        "m / muslim / refusal."
    ) in words


def test_pairs_are_corrected_where_people_labelled_enough() -> None:
    other = {**BIG, "group": "black", "p_adjusted": 0.0001}
    tests = [whole(0.0001), *pair(**BIG, p_adjusted=0.0001), *pair(**other)]
    near = {"estimate": 0.02, "ci_low": -0.05, "ci_high": 0.09}
    found = [corrected(0.6, **near), corrected(None, group="black", note=WANTED)]
    verdict, words = told([*tests, *found])
    assert verdict is Verdict.SHOWN
    # The randomisation over all groups takes the machine's labels for true.
    assert "randomisation" not in words
    assert "28.1 points more often for black names" in words
    assert "more often for muslim names" not in words
    assert "For black names the difference is that of the machine's labels" in words
