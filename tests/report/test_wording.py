from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from report_tables import disparity_row
from worded_study import BIG, pair, rate, study, told, whole

from refusal_parity.outcomes import Outcome
from refusal_parity.report.wording import statement
from refusal_parity.tables import Influence, conform
from refusal_parity.vocabulary import Estimand, Verdict

NO_PROOF = "This is not evidence that there is none."


@pytest.mark.parametrize(
    ("tests", "verdict", "words"),
    [
        pytest.param(
            [whole(0.00001), *pair(**BIG, p_adjusted=0.0002)],
            Verdict.SHOWN,
            "m refused 28.1 points more often for muslim names than for white names "
            "(95 % interval 18.2 to 38.0, 8 against 8 names; adjusted p < 0.001; "
            "for new templates and new names).",
            id="more often",
        ),
        pytest.param(
            [whole(0.01), *pair(estimate=-0.12, ci_low=-0.2, ci_high=-0.04, p_adjusted=0.03)],
            Verdict.SHOWN,
            "m refused 12.0 points less often for muslim names than for white names "
            "(95 % interval 4.0 to 20.0, 8 against 8 names; adjusted p = 0.030; "
            "for new templates and new names).",
            id="less often: the interval turns with the sentence",
        ),
        pytest.param(
            [whole(0.01), *pair(**BIG, p_adjusted=0.03, p_names=0.07)],
            Verdict.SHOWN,
            "m refused 28.1 points more often for muslim names than for white names "
            "(95 % interval 18.2 to 38.0, 8 against 8 names; adjusted p = 0.030; "
            "for new templates and new names). The exact permutation "
            "of names, for these templates, does not show it (adjusted p = 0.070).",
            id="shown, but not by the permutation",
        ),
        pytest.param(
            [whole(0.2), *pair(**BIG, p_adjusted=0.3, p_names=0.02)],
            Verdict.NOT_SHOWN,
            "No difference between groups was shown for new templates and new names "
            f"(adjusted p = 0.300; 95 % interval 18.2 to 38.0 points). {NO_PROOF} "
            "For muslim names against white names (+28.1 points) the exact permutation "
            "of names, which holds for these templates only, shows a difference (adjusted "
            "p = 0.020); for other templates none is shown.",
            id="shown for these templates only",
        ),
        pytest.param(
            [whole(0.41), *pair(**BIG, p_adjusted=0.3)],
            Verdict.NOT_SHOWN,
            "No difference between groups was shown for new templates and new names "
            f"(adjusted p = 0.300; 95 % interval 18.2 to 38.0 points). {NO_PROOF}",
            id="not shown",
        ),
        pytest.param(
            [
                whole(0.41),
                *pair(**BIG, p_adjusted=0.3),
                *pair(group="black", **BIG, p_adjusted=0.2),
            ],
            Verdict.NOT_SHOWN,
            "No difference between groups was shown for new templates and new names "
            "(smallest adjusted p = 0.200 of 2 comparisons; 95 % intervals from 18.2 to 38.0 "
            f"points). {NO_PROOF}",
            id="none of several shown",
        ),
        pytest.param(
            [whole(0.01), *pair(**BIG, p_adjusted=0.3)],
            Verdict.NOT_SHOWN,
            "No difference between groups was shown for new templates and new names "
            f"(adjusted p = 0.300; 95 % interval 18.2 to 38.0 points). {NO_PROOF} "
            "The test of all groups together has p = 0.010 (Randomisation test over names, F). It "
            "holds for these templates and new names and decides nothing: the single comparisons "
            "do.",
            id="only as a whole",
        ),
        pytest.param(
            [whole(0.2), *pair(**BIG, p_adjusted=0.01)],
            Verdict.SHOWN,
            "m refused 28.1 points more often for muslim names than for white names "
            "(95 % interval 18.2 to 38.0, 8 against 8 names; adjusted p = 0.010; "
            "for new templates and new names).",
            id="only in a pair",
        ),
        pytest.param(
            [whole(None), *pair(note="one name only")],
            Verdict.NOT_ESTIMABLE,
            "m: not estimable: one name only.",
            id="nothing could be tested",
        ),
        pytest.param(
            [whole(0.4), *pair(**BIG, p_adjusted=0.9), *pair(group="black", note="one name only")],
            Verdict.NOT_SHOWN,
            "No difference between groups was shown for new templates and new names "
            "(adjusted p = 0.900; 95 % interval 18.2 to 38.0 points; without a test: black). "
            f"{NO_PROOF} Not estimable for black names: one name only.",
            id="one group not estimable",
        ),
    ],
)
def test_words_of_a_finding(tests: list[dict[str, Any]], verdict: Verdict, words: str) -> None:
    assert told(tests) == (verdict, words)


def small(p_adjusted: float, **values: Any) -> dict[str, Any]:
    contrast = {"group": "muslim", "reference": "white", "estimate": 0.004} | values
    return disparity_row(**contrast, method="equivalence", p_adjusted=p_adjusted)


NEAR = {"estimate": 0.004, "ci_low": -0.03, "ci_high": 0.04}


@pytest.mark.parametrize(
    ("p_small", "verdict", "is_said"),
    [
        (0.0499, Verdict.EQUIVALENT, True),
        (0.05, Verdict.NOT_SHOWN, False),
        (None, Verdict.NOT_SHOWN, False),
    ],
    ids=["below alpha", "at alpha", "untested"],
)
def test_small_is_said_exactly_where_the_equivalence_test_shows_it(
    p_small: float | None, verdict: Verdict, *, is_said: bool
) -> None:
    found, words = told([whole(0.5), *pair(**NEAR, p_adjusted=0.8), small(p_small)])
    assert found is verdict
    assert ("shown to be smaller than 5.0 points" in words) is is_said
    assert (NO_PROOF in words) is not is_said


def test_one_small_difference_is_said_beside_those_not_shown() -> None:
    tests = [whole(0.5), *pair(**NEAR, p_adjusted=0.8), small(0.01)]
    tests += [*pair(group="black", **BIG, p_adjusted=0.3), small(0.9, group="black")]
    verdict, words = told(tests)
    assert verdict is Verdict.NOT_SHOWN
    assert words.startswith("No difference between groups was shown")
    assert (
        "The difference from white names is shown to be smaller than 5.0 points for muslim names "
        "(+0.4 points; equivalence test: adjusted p = 0.010)." in words
    )
    assert "for black names" not in words


def test_small_differences_are_said_in_one_sentence() -> None:
    tests = [whole(0.5), *pair(**NEAR, p_adjusted=0.8), small(0.01)]
    tests += [*pair(group="black", **NEAR, p_adjusted=0.8), small(0.02, group="black")]
    verdict, words = told(tests)
    assert verdict is Verdict.EQUIVALENT
    assert words.startswith("Every difference for new ")
    assert (
        "The differences from white names are shown to be smaller than 5.0 points for muslim names "
        "(+0.4 points; equivalence test: adjusted p = 0.010) and black names (+0.4 points; "
        "adjusted p = 0.020)."
    ) in words


@pytest.mark.parametrize(
    ("ends", "is_said"),
    [
        ((-0.038, 0.049), False),
        ((-0.051, 0.02), True),
        ((-0.01, 0.06), True),
        ((None, None), False),
    ],
)
def test_an_interval_that_leaves_the_margin_is_told_of(
    ends: tuple[float | None, float | None], *, is_said: bool
) -> None:
    near = {"estimate": 0.004, "ci_low": ends[0], "ci_high": ends[1]}
    verdict, words = told([whole(0.5), *pair(**near, p_adjusted=0.8), small(0.01)])
    assert verdict is Verdict.EQUIVALENT
    assert ("Intervals in the tables reach farther here" in words) is is_said


def test_a_single_small_difference_is_no_every() -> None:
    _, words = told([whole(0.5), *pair(**NEAR, p_adjusted=0.8), small(0.01)])
    assert words.startswith("The difference for new ")


def test_other_pairs_are_no_findings() -> None:
    others = pair(group="muslim", reference="black", **BIG, p_adjusted=0.0001)
    verdict, words = told([whole(0.5), *pair(**NEAR, p_adjusted=0.9), *others])
    assert verdict is Verdict.NOT_SHOWN
    assert "black" not in words


def left_out(kind: str, key: str, estimate: float, p_value: float | None) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(Influence.column_names())
    return row | {
        "model": "m", "outcome": "refusal", "dimension": "group", "group": "muslim",
        "reference": "white", "left_out_kind": kind, "left_out": key, "n_group": 9,
        "n_reference": 9, "k_group": 1, "k_reference": 1, "estimate": estimate,
        "change": estimate - 0.281, "p_value": p_value,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("others", "told_of"),
    [("", ""), ("x", "“x”"), ("xy", "“x” or 1 other"), ("xyz", "“x” or any of 2 others")],
)
def test_what_a_difference_rests_on(others: str, told_of: str) -> None:
    rows = [
        left_out("name", "aisha", 0.2, 0.07),
        left_out("name", "omar", 0.29, 0.01),
        left_out("template", "t1", 0.31, 0.02),
        *(left_out("template", key, 0.28, 0.06) for key in others),
    ]
    influence = conform(pl.DataFrame(rows, infer_schema_length=None), Influence, where="i")
    _, words = told([whole(0.001), *pair(**BIG, p_adjusted=0.001)], influence=influence)
    assert (
        "Without the name Aisha it would be +20.0 points, the largest change by one name. "
        "Without Aisha the exact permutation of names would not have p below 0.05. "
        "Without the template “t1” it would be +31.0 points, the largest change by one template."
        + f" Without {told_of} the exact permutation of names would not have p"
        * bool(others)
    ) in words


def test_null_rates_are_not_estimable_and_say_why() -> None:
    rates = [
        rate("m", group, n=0, k=None, note="no response that counts (all empty)") for group in "ab"
    ]
    verdict, words = told([whole(0.001), *pair(**BIG, p_adjusted=0.001)], rates=rates)
    assert verdict is Verdict.NOT_ESTIMABLE
    assert words == "m: not estimable: no response that counts (all empty)."


def test_an_invalid_test_is_no_finding() -> None:
    naive = disparity_row(
        method="chi_square", estimand=Estimand.GLOBAL, p_value=1e-30, p_adjusted=1e-30
    )
    wald = disparity_row(
        method="newcombe", group="muslim", reference="white", estimate=0.3, p_adjusted=1e-30
    )
    verdict, words = told([naive, wald, whole(0.5)])
    assert verdict is Verdict.NOT_ESTIMABLE
    assert "0.3" not in words
    verdict, words = told([naive, wald, whole(0.5), *pair(**NEAR, p_adjusted=0.8)])
    assert verdict is Verdict.NOT_SHOWN


def test_an_uncorrected_p_value_shows_nothing() -> None:
    row = disparity_row(group="muslim", reference="white", estimate=0.3, p_value=1e-9)
    assert told([whole(0.001), row]) == (
        Verdict.NOT_ESTIMABLE,
        "m: not estimable: no valid test was possible.",
    )


def test_details_run_from_large_to_small_whatever_the_sign() -> None:
    found = statement(
        study(
            [
                whole(0.001),
                *pair(estimate=0.1, p_adjusted=0.01),
                *pair(group="black", estimate=-0.2, p_adjusted=0.01),
            ]
        ),
        "m",
        Outcome.REFUSAL,
        "group",
    )
    assert [contrast.group for contrast in found.shown] == ["black", "muslim"]


@pytest.mark.parametrize("tests", [[whole(0.9)], [whole(0.04)], [whole(None)]])
def test_never_claims_that_there_is_no_disparity(tests: list[dict[str, Any]]) -> None:
    words = told(tests)[1].lower()
    for claim in ("no disparity", "treats", "equal", "because", "caused", "proves", "fair"):
        assert claim not in words
