from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desk import NAMES, Desk
from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.mark.parametrize(
    ("dimension", "reference", "said", "remedy"),
    [
        ("group", "Greek", "n.csv", "Write it as there: greek (U+0047 here, U+0067 there)."),
        (
            "group",
            "me\u0301tis",
            "n.csv",
            "Write it as there: m\u00e9tis (U+0065 U+0301 here, U+00E9 there).",
        ),
        ("group", "roman", "n.csv", "Name one of: greek, m\u00e9tis."),
        ("gender", "mann", "n.csv", "Name one of: woman, man."),
        ("group_gender", "greek", "n.csv", "Name one of: greek woman, greek man, "),
        ("commonness", "rare", "n.csv", "It has no commonness at all: fill a column of that name,"),
        ("family", "Food", "t.csv", "Write it as there: food "),
        ("arm", "strikt", "prompts.arms", "Name one of: plain, strict."),
    ],
)
def test_references_of_all_dimensions(
    desk: Desk, dimension: str, reference: str, said: str, remedy: str
) -> None:
    arms = {"arms": {"plain": None, "strict": "Be strict."}}
    with pytest.raises(InputError) as raised:
        desk.check(prompts=arms, **{dimension: reference})
    error = raised.value
    assert error.what.startswith(f"reference {reference!r} is no {dimension} of ")
    assert error.what.endswith(said)
    assert error.where == f"x.yaml, analysis.dimensions.{dimension}.reference"
    assert error.remedy.startswith(remedy)


_MATCHED = """template_id,family,template,set,tone,topic
f1,food,[NAME] eats,1,plain,meals
f2,food,Why does [NAME] eat?,1,formal,meals
w1,work,[NAME] works,2,plain,jobs
w2,work,Why does [NAME] work?,2,formal,jobs
"""
_KNOWN = NAMES.replace("\n", ",3.5,west\n").replace("3.5,west", "births,origin", 1)


@pytest.mark.parametrize(
    ("key", "reference", "unit"),
    [
        ("origin", "west", Unit.NAME),
        ("tone", "plain", Unit.SET),
        ("topic", "meals", Unit.TEMPLATE),
    ],
)
def test_any_column_of_words_is_a_dimension(
    desk: Desk, key: str, reference: str, unit: Unit
) -> None:
    desk.check(templates=_MATCHED, names=_KNOWN, covariates=["births"], **{key: reference})
    assert DIMENSIONS[key].unit is unit
    assert reference in DIMENSIONS[key].words(reference)
    # It is a dimension of this study alone.
    assert key not in DIMENSIONS


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (("w2,work,Why does [NAME] work?,2", "w2,work,Why does [NAME] work?,3"), (
            "t.csv: 2 of 3 sets lack a tone (set '2' has no 'formal') and tell nothing of it"
        )),
        (("tone,topic\n", "tone,topic\nf3,food,[NAME] dines,1,plain,meals\n"), (
            "t.csv: 1 of 2 sets has more templates of one tone than of another (set '1': 2 of "
            "'plain', 1 of 'formal'), so that what else these differ in is compared too"
        )),
    ],
)  # fmt: skip
def test_sets_that_are_not_whole_are_named(
    desk: Desk, change: tuple[str, str], remark: str
) -> None:
    checked = desk.check(templates=_MATCHED.replace(*change), names=_KNOWN, tone="plain")
    assert [
        each.removeprefix(f"{desk.folder}/") for each in checked.remarks if " sets " in each
    ] == [remark]


@pytest.mark.parametrize(
    ("changes", "what", "where", "remedy"),
    [
        (
            {"orgin": "west"},
            "'orgin' is no dimension: no column of names or templates has that name",
            "x.yaml, analysis.dimensions.orgin",
            "Did you mean 'origin'? There are: group,",
        ),
        (
            {"births": "3.5"},
            "'births' is a factor of numbers, which has no levels to compare",
            "x.yaml, analysis.dimensions.births",
            "Name it in analysis.covariates",
        ),
        *(
            (
                changes,
                f"{key!r} tells {what} apart",
                f"x.yaml, analysis.{at}",
                remedy,
            )
            for changes, key, what, at, remedy in (
                ({"set": "1"}, "set", "sets", "dimensions.set", "Compare a column whose words"),
                ({"covariates": ["set"]}, "set", "sets", "covariates", "Name a column of numbers"),
                ({"name": "x"}, "name", "names", "dimensions.name", "Compare a column whose words"),
            )
        ),
        (
            {
                "names": _KNOWN.replace(",group,", ",read_as,"),
                "prompts": {"group_column": "read_as"},
                "read_as": "greek",
            },
            "'read_as' is what the file calls 'group', by prompts.group_column",
            "x.yaml, analysis.dimensions.read_as",
            "Write 'group' here",
        ),
        (
            {"covariates": ["birth"]},
            "'birth' is no covariate: no column of names or templates has that name",
            "x.yaml, analysis.covariates",
            "Did you mean 'births'?",
        ),
        (
            {"names": _KNOWN.replace("woman,3.5", "woman,many"), "covariates": ["births"]},
            "covariate 'births' is no number: 'many'",
            "n.csv, line 2",
            "Write a number",
        ),
        (
            {"templates": _MATCHED.replace("w1,work,[NAME] works,2", "w1,work,[NAME] works,")},
            "column 'set' is empty",
            "t.csv, line 4",
            "Fill the cell",
        ),
        (
            {"templates": _MATCHED.replace("tone", "origin")},
            "column 'origin' stands in",
            "n.csv",
            "Keep it where it belongs",
        ),
        (
            {"templates": _MATCHED.replace("tone", "Origin")},
            "column 'origin' stands in",
            "n.csv",
            "Keep it where it belongs",
        ),
        (
            {"templates": _MATCHED.replace("[NAME] eats", "[NAME] of [ origin ] eats")},
            "[ origin ] is not written as a placeholder",
            "t.csv, line 2",
            "Write [ORIGIN]",
        ),
        (
            {"templates": _MATCHED.replace("tone", "label"), "label": "warm"},
            "'label' is the name of a column that responses",
            "x.yaml, analysis.dimensions.label",
            "Rename it",
        ),
        *(
            (
                {"templates": _MATCHED.replace("tone", taken), taken: "warm"},
                f"{taken!r} is the name of a column that responses",
                f"x.yaml, analysis.dimensions.{taken}",
                "Rename it",
            )
            for taken in ("n", "refusal", "left_out")
        ),
        *(
            (
                {"templates": _MATCHED.replace(was, "all"), key: "plain"},
                f"'all' is a{words} of ",
                f"x.yaml, analysis.dimensions.{key}",
                "Give it another name there",
            )
            for was, key, words in (("formal", "tone", " tone"), ("tone", "all", " column"))
        ),
        (
            {"names": _KNOWN.replace("woman,3.5", "woman,inf"), "covariates": ["births"]},
            "covariate 'births' is no number: 'inf'",
            "n.csv, line 2",
            "Write a number",
        ),
        (
            {"names": _KNOWN.replace(",3.5,", ",,"), "covariates": ["births"]},
            "covariate 'births' has no number in any row",
            "x.yaml, analysis.covariates",
            "Fill the column 'births'",
        ),
        (
            {
                "templates": _MATCHED.replace("[NAME] eats", "[NAME] with [BIRTHS] eats"),
                "covariates": ["births"],
            },
            "covariate 'births' is text, since templates put it in as [BIRTHS]",
            "x.yaml, analysis.covariates",
            "Give the file a second column",
        ),
        (
            {"templates": _MATCHED.replace("[NAME] eats", "[NAME] of [TOWN] eats")},
            "[TOWN] is no column of",
            "t.csv, line 2",
            "Add a column 'town' there",
        ),
    ],
)
def test_factors_that_cannot_be_meant(
    desk: Desk, changes: dict[str, Any], what: str, where: str, remedy: str
) -> None:
    with pytest.raises(InputError) as raised:
        desk.check(**({"templates": _MATCHED, "names": _KNOWN} | changes))
    error = raised.value
    assert error.what.startswith(what)
    assert (error.where or "").endswith(where)
    assert error.remedy.startswith(remedy)
