"""What each method promises, pinned: a change here changes what the page calls a finding."""

from __future__ import annotations

import pytest

from refusal_parity.statistics.methods import METHODS
from refusal_parity.vocabulary import Estimand, Scope

HERE, NAMES, BOTH = Scope.THESE_RESPONSES, Scope.NEW_NAMES, Scope.NEW_NAMES_AND_TEMPLATES
PROMPTS = Scope.NEW_PROMPTS

PROMISES = {
    # method: (tests of two groups are valid, test of all groups is valid, its scope).
    # Valid means a false positive rate of 3 to 8 % at a nominal 5 % in the simulations of
    # docs/method.md; the others reject 7 to 97 %, or were not simulated.
    "newcombe": (False, False, HERE),
    "katz": (False, False, HERE),
    "chi_square": (False, False, HERE),
    "mantel_haenszel": (False, False, HERE),
    "ols_two_way": (False, False, BOTH),
    "wilson_two_way": (True, True, BOTH),
    "calibrated": (True, True, BOTH),
    # Of log-odds: benchmarks/propensity_studies.py.
    "calibrated_linear": (True, True, BOTH),
    # Of weighed rates: benchmarks/weighed_studies.py.
    "calibrated_weighed": (True, True, BOTH),
    "ols_cr2_adjusted": (True, True, BOTH),
    "equivalence": (True, True, BOTH),
    "glm_cluster_name": (False, False, NAMES),
    "glm_cluster_template": (False, False, BOTH),
    "glm_cluster_two_way": (False, False, BOTH),
    "ols_cr2_name": (True, False, NAMES),
    "glm_cr2_name": (False, False, NAMES),
    "ols_cr2_two_way": (True, True, BOTH),
    "permutation_names": (True, True, NAMES),
    "permutation_names_f": (True, True, NAMES),
    "permutation_names_exact": (True, True, NAMES),
    "welch_names": (True, True, NAMES),
    "anova_names": (True, True, NAMES),
    "bootstrap_names": (False, False, NAMES),
    "bootstrap_pigeonhole": (False, False, BOTH),
    "design_based": (True, True, BOTH),
    "design_based_equivalence": (True, True, BOTH),
    # Of prompts of a list: benchmarks/nested_studies.py.
    "unit_design_based": (True, True, PROMPTS),
    "unit_design_based_equivalence": (True, True, PROMPTS),
    "unit_score": (True, True, PROMPTS),
    "unit_score_equivalence": (True, True, PROMPTS),
    # benchmarks/adjusted_lists.py.
    "unit_adjusted": (True, True, PROMPTS),
    "unit_welch": (False, True, PROMPTS),
    "unit_welch_equivalence": (False, True, PROMPTS),
}


def test_every_method_has_its_promise() -> None:
    assert set(PROMISES) == set(METHODS)


@pytest.mark.parametrize("method", PROMISES)
def test_validity_and_scope(method: str) -> None:
    pairs, everything, scope = PROMISES[method]
    assert METHODS[method].controls(Estimand.RISK_DIFFERENCE) is pairs
    assert METHODS[method].controls(Estimand.GLOBAL) is everything
    assert METHODS[method].scope is scope
