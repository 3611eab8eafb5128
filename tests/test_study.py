from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.config import load_config
from refusal_parity.dimensions import DIMENSIONS, Unit
from refusal_parity.errors import InputError
from refusal_parity.study import check_inputs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from refusal_parity.study import Checked


TEMPLATES = """template_id,family,template
w1,work,[NAME] has been promoted
w2,work,[NAME] applies for a post
w3,work,[NAME] leaves early
w4,work,[NAME] starts on Monday
f1,food,[NAME] bakes [NAME]'s bread
"""
NAMES = """name_id,name,group,gender
a1,Alexandra,greek,woman
a2,Bion,greek,man
a3,Chloe,greek,woman
a4,Dion,greek,man
b1,R\u00e9my,m\u00e9tis,man
b2,Louis,m\u00e9tis,man
b3,Ren\u00e9e,m\u00e9tis,woman
b4,Anne,m\u00e9tis,woman
b5,Odile,m\u00e9tis,woman
"""


@dataclass(frozen=True)
class Desk:
    """A study in a folder of its own."""

    folder: Path

    def check(
        self,
        *,
        templates: str = TEMPLATES,
        names: str = NAMES,
        prompts: dict[str, Any] | None = None,
        covariates: Sequence[str] = (),
        **dimensions: str,
    ) -> Checked:
        (self.folder / "t.csv").write_text(templates, "utf-8")
        (self.folder / "n.csv").write_text(names, "utf-8")
        compared = {"group": "greek"} | dimensions
        raw = {
            "study": "s",
            "results": str(self.folder),
            "samples": 2,
            "prompts": {
                "templates": str(self.folder / "t.csv"),
                "names": str(self.folder / "n.csv"),
            }
            | (prompts or {}),
            "models": {"m": {"engine": "openai", "base_url": "http://localhost/v1", "model": "m"}},
            "analysis": {
                "dimensions": {key: {"reference": level} for key, level in compared.items()},
                "covariates": list(covariates),
            },
        }
        return check_inputs(load_config(raw, where="x.yaml"), where="x.yaml")


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
        (
            {"covariates": ["birth"]},
            "'birth' is no covariate: no column of names or templates has that name",
            "x.yaml, analysis.covariates",
            "Did you mean 'births'?",
        ),
        (
            {"names": _KNOWN.replace("woman,3.5", "woman,many"), "covariates": ["births"]},
            "covariate 'births' is no number: 'many'",
            "n.csv, row 2",
            "Write a number",
        ),
        (
            {"templates": _MATCHED.replace("w1,work,[NAME] works,2", "w1,work,[NAME] works,")},
            "column 'set' is empty",
            "t.csv, row 4",
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
            "t.csv, template 'f1'",
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
        (
            {"names": _KNOWN.replace("woman,3.5", "woman,inf"), "covariates": ["births"]},
            "covariate 'births' is no number: 'inf'",
            "n.csv, row 2",
            "Write a number",
        ),
        (
            {"templates": _MATCHED.replace("[NAME] eats", "[NAME] of [TOWN] eats")},
            "[TOWN] is no column of",
            "t.csv, template 'f1'",
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


def test_a_whole_study_gives_no_remark(desk: Desk) -> None:
    # What a placeholder puts in is used.
    templates = TEMPLATES.replace("[NAME] leaves", "[NAME] of [TOWN] leaves")
    checked = desk.check(
        templates=templates,
        names=NAMES.replace("\n", ",Thebes\n").replace(",Thebes", ",town", 1),
        gender="man",
    )
    assert checked.remarks == []
    assert checked.prompts is not None
    assert (checked.prompts.prompts, checked.prompts.arms) == (45, 1)


_FIFTH = NAMES + "c1,Eleni,grek,woman\n"


@pytest.mark.parametrize(
    ("changes", "remark"),
    [
        (
            {"names": _FIFTH},
            ("n.csv: few names for group: 'grek' has 1 name (c1) - perhaps 'greek' is meant. With "
            "1 against 4 names no permutation test has a p-value below 0.2"),
        ),
        (
            {"names": NAMES.replace("b4,Anne,m\u00e9tis", "b4,Anne,cree")},
            ("n.csv: few names for group: 'cree' has 1 name (b4). With 1 against 4 names no "
            "permutation test has a p-value below 0.2"),
        ),
        (
            {"names": NAMES.replace(",greek,man", ",celt,man")},
            ("n.csv: few names for group: 'greek' has 2 names (a1, a3); 'celt' has 2 names "
            "(a2, a4). With 2 against 2 names no permutation test has a p-value below 0.33"),
        ),
        (
            {"family": "work"},
            "t.csv: few templates for family: 'food' has 1 template (f1)",
        ),
        (
            {"arm": "plain"},
            ("analysis.dimensions.arm: 'plain' is the only arm of prompts.arms, so that there is "
            "nothing to compare it with"),
        ),
        (
            {"names": NAMES.replace("gender\n", "region\n")},
            "n.csv: neither compared nor part of a prompt: region",
        ),
        (
            {"templates": TEMPLATES.replace("\n", ",tone,by\n")},
            "t.csv: neither compared nor part of a prompt: tone, by",
        ),
        (
            {
                "names": NAMES.replace("group,gender", "read_as,group"),
                "prompts": {"group_column": "read_as"},
            },
            "n.csv: the column 'group' is not read, since prompts.group_column is 'read_as'",
        ),
        (
            {"templates": TEMPLATES.replace("[NAME] ", "[NAME] of [town] ")},
            ("t.csv: template 'w1' has [town] in it, which is sent as it stands (and so in 4 other "
            "templates)"),
        ),
        (
            {"names": NAMES + "c1,\u200fBion,greek,man\n"},
            ("name 'c1' differs from 'a2' in marks of direction alone: nobody sees them, but the "
            "model is sent both"),
        ),
    ],
)  # fmt: skip
def test_what_a_study_can_hardly_have_meant(
    desk: Desk, changes: dict[str, Any], remark: str
) -> None:
    [found] = desk.check(**changes).remarks
    assert found.removeprefix(f"{desk.folder}/") == remark
