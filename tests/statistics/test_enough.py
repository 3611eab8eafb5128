"""Groups of a few names, or few templates, have numbers but no findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from refusal_parity.config import AnalysisConfig, DimensionConfig
from refusal_parity.outcomes import Outcome
from refusal_parity.statistics.designs.counts import Design
from refusal_parity.statistics.designs.kinds import DesignKind
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.enough import Sizes, sizes_observed, sizes_of, too_few
from refusal_parity.statistics.methods import METHODS
from refusal_parity.statistics.results import Estimate, Pair, not_estimable
from refusal_parity.vocabulary import Estimand, Scope

if TYPE_CHECKING:
    from collections.abc import Callable

    Study = Callable[..., pl.DataFrame]


def found(study: Study, names: int, templates: int) -> dict[str, dict[str, object]]:
    random = np.random.default_rng(3)
    cells = [
        {
            f"{group}{at}": ["".join(random.choice(["r", "a"], 3)) for _ in range(templates)]
            for at in range(count)
        }
        for group, count in (("x", 5), ("y", names))
    ]
    config = AnalysisConfig(
        outcomes=[Outcome.REFUSAL],
        dimensions={"group": DimensionConfig(reference="x")},
        permutations=99,
        bootstraps=99,
        mixed_model=False,
    )
    table = disparities(study(dict(zip("xy", cells, strict=True))), config)
    return {row["method"]: row for row in table.filter(group="y").to_dicts()}


@pytest.mark.parametrize(
    ("names", "templates", "said", "by_names"),
    [
        (4, 4, None, True),
        (3, 4, "y has 3 names", False),
        (5, 3, "y and x have 3 templates each", True),
    ],
    ids=["enough", "few names", "few templates"],
)
def test_few_are_no_sample(
    study: Study, names: int, templates: int, said: str | None, *, by_names: bool
) -> None:
    rows = found(study, names, templates)
    for method in ("wilson_two_way", "ols_cr2_two_way"):
        row = rows[method]
        assert row["estimate"] is not None
        assert row["valid"] is (said is None)
        assert (row["p_adjusted"] is not None) is (said is None)
        assert (said or "") in str(row["note"])
    # What speaks of these templates alone needs no sample of them.
    assert rows["permutation_names_exact"]["valid"] is by_names
    assert rows["newcombe"]["valid"] is False


@pytest.mark.parametrize(
    ("names", "templates", "said"),
    [
        ({"x": 4, "y": 9}, {"x": 4, "y": 4}, None),
        ({}, {}, None),
        ({"x": 3, "y": 9}, {"x": 4, "y": 4}, "x has 3 names, but a test takes at least 4"),
        ({"x": 1, "y": 1}, {}, "x and y have 1 name each, but a test takes at least 4"),
        (
            {"x": 3, "y": 3, "z": 2},
            {"x": 2, "y": 2, "z": 2},
            (
                "x and y have 3 names and 2 templates each, z has 2 names and 2 templates, but a "
                "test takes at least 4 of both"
            ),
        ),
        (
            {"x": 3, "y": 9},
            {"x": 8, "y": 3},
            "x has 3 names, y has 3 templates, but a test takes at least 4 of both",
        ),
    ],
    ids=["enough", "neither", "one", "one name", "both", "either"],
)
def test_each_level_is_said_once(
    names: dict[str, int], templates: dict[str, int], said: str | None
) -> None:
    assert too_few({"name": names, "template": templates}) == said


def test_sizes_are_of_what_the_machine_labelled() -> None:
    rows = [
        ("x", "a", "t1", "refusal"), ("x", "a", "t2", "answer"), ("x", "b", "t2", None),
        ("y", "c", "t1", "answer"), ("y", "d", "t1", "answer"), (None, "e", "t3", "answer"),
    ]  # fmt: skip
    columns = ["group", "name_id", "template_id", "machine_label"]
    found = sizes_observed(pl.DataFrame(rows, schema=columns, orient="row"), "group")
    assert found == Sizes({"x": 1, "y": 2}, {"x": 2, "y": 1}, {frozenset("xy"): 1})


def row_of(scope: Scope, pair: Pair | None) -> Estimate:
    """A number of a method that speaks of so much; without a pair, of a global test."""
    method = next(each for each in METHODS.values() if each.scope == scope)
    group, reference = pair or (None, None)
    return Estimate(
        method=method,
        estimand=Estimand.RISK_DIFFERENCE,
        group=group,
        reference=reference,
        p_value=0.01,
    )


FEW_NAMES = "y has 3 names, but a test takes at least 4"


@pytest.mark.parametrize(
    ("scope", "pair", "few"),
    [
        (Scope.NEW_NAMES, Pair("y", "x"), FEW_NAMES),
        (Scope.NEW_NAMES, Pair("z", "x"), None),
        (
            Scope.NEW_NAMES_AND_TEMPLATES,
            Pair("z", "x"),
            "z has 2 templates, but a test takes at least 4",
        ),
        (Scope.NEW_NAMES, None, FEW_NAMES),
        # Of a level without any response nothing is counted.
        (Scope.NEW_NAMES, Pair("none", "x"), None),
        (Scope.NEW_NAMES, Pair("none", "y"), FEW_NAMES),
        (Scope.THESE_RESPONSES, Pair("y", "z"), None),
    ],
    ids=["few names", "enough", "few templates", "global", "unknown", "unknown and few", "these"],
)
def test_a_row_is_held_against_the_levels_that_it_is_about(
    scope: Scope, pair: Pair | None, few: str | None
) -> None:
    sizes = Sizes({"x": 4, "y": 3, "z": 9}, {"x": 5, "y": 5, "z": 2})
    row = row_of(scope, pair)
    assert sizes.held(row).few == few
    # A number that is missing has its own reason already.
    missing = not_estimable(row.method, row.estimand, pair, "nothing varies")
    assert sizes.held(missing) == missing


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (DesignKind.CROSSED, Sizes({"x": 2, "y": 1}, {"x": 2, "y": 3}, {frozenset("xy"): 2})),
        (
            DesignKind.CROSSED_WITHIN,
            Sizes({"x": 2, "y": 1}, {"x": 2, "y": 3}, {frozenset("xy"): 2}),
        ),
        (DesignKind.NESTED, Sizes({}, {})),
    ],
)
def test_units_of_a_list_are_neither_names_nor_templates(kind: DesignKind, expected: Sizes) -> None:
    level, name, template = np.array([[0, 0, 0, 1, 1, 1], [0, 1, 1, 2, 2, 2], [0, 0, 1, 0, 1, 2]])
    ones = np.ones(len(level))
    design = Design(("x", "y"), level, name, template, ones, ones, kind)
    assert sizes_of(design) == expected


def test_levels_with_few_templates_in_common_have_no_test_for_new_ones() -> None:
    """Each has enough of its own, which say nothing of their difference."""
    names, templates = {"x": 9, "y": 9, "z": 9}, {"x": 9, "y": 9, "z": 9}
    common = {frozenset("xy"): 3, frozenset("xz"): 4, frozenset("yz"): 0}
    sizes = Sizes(names, templates, common)
    scope = Scope.NEW_NAMES_AND_TEMPLATES
    assert sizes.held(row_of(scope, Pair("z", "x"))).few is None
    said = "x and y have 3 templates in common, but a test takes at least 4"
    assert sizes.held(row_of(scope, Pair("y", "x"))).few == said
    assert sizes.held(row_of(Scope.NEW_NAMES, Pair("y", "x"))).few is None
    # Levels that are of templates have none in common, and are compared all the same.
    apart = Design(
        ("x", "y"), *np.array([[0, 0, 1, 1], [0, 1, 0, 1], [0, 1, 2, 3]]), *np.ones((2, 4))
    )
    assert sizes_of(apart).common == {}
