from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desk import NAMES, TEMPLATES, Desk

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


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
            {"names": NAMES.replace(",greek,", ",NA,"), "group": "NA"},
            ("n.csv: 'NA' is taken for a group, of 4: programs write it where nothing stands; if "
            "nothing is known of these, leave the cells empty"),
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
            {"templates": TEMPLATES.replace("[NAME] ", "[NAME] &amp; co ")},
            ("t.csv: 'w1' (and so 4 others) is written for HTML and sent as it stands; it seems to "
             "say '[NAME] & co has been promoted'"),
        ),
        (
            {"templates": TEMPLATES.replace("[NAME] ", r"[NAME]\n ", 1)},
            (r"t.csv: 'w1' is written for a program and sent as it stands; it seems to say "
             r"'[NAME]\n has been promoted'"),
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
