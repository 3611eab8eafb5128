from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from refusal_parity.errors import InputError
from refusal_parity.prompts import (
    OWN_COLUMNS,
    read_names,
    read_stimuli,
    read_templates,
)
from refusal_parity.stimuli_remarks import direction_twins
from refusal_parity.tables import Prompts

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ("t1,a,Nobody eats [BLANK]", r"line 3: template 'Nobody eats .* has no \[NAME\]"),
        ("t0,a,[NAME] sleeps", "line 3: template_id 't0' stands in line 2 already"),
        ("t1,a,[NAME] eats", "line 3: template '.*' stands in line 2 already"),
        ("t1,,[NAME] sleeps", "line 3: column 'family' is empty"),
        ("T0,a,[NAME] sleeps", "line 3: template_id 'T0' stands in line 2 already"),
        ("t1,a,[NAME]\u00a0eats", "line 3: template '.*' stands in line 2 already"),
        ("t1,A,[NAME] sleeps", "line 3: family 'A' is written 'a' in line 2"),
        ("t1,a,[NAME]\x92s bed", r"line 3: template .* holds U\+0092, which stands where a char"),
    ],
)
def test_bad_templates(tmp_path: Path, rows: str, complaint: str) -> None:
    path = tmp_path / "templates.csv"
    path.write_text(f"template_id,family,template\nt0,a,[NAME] eats\n{rows}\n", "utf-8")
    with pytest.raises(InputError, match=complaint):
        read_templates(path)


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ("n1,Omar,y", "line 3: name 'Omar' stands in line 2 already"),
        ("n0,Ali,y", "line 3: name_id 'n0' stands in line 2 already"),
        ("n1,Ali,", "line 3: column 'group' is empty"),
        ("n1,omar,y", "line 3: name 'omar' stands in line 2 already"),
        ("n1,O\u200bmar,y", r"line 3: name .* already \(U\+200B here, nothing there\)"),
        ("n1,\u041emar,y", r"line 3: name .* already \(U\+041E here, U\+004F there\)"),
        ("N0,Ali,y", "line 3: name_id 'N0' stands in line 2 already"),
        ("n1,Ali,X", "line 3: group 'X' is written 'x' in line 2"),
        ("n1,Ali,x,Man", "line 3: gender 'Man' is written 'man' in line 2"),
        ('n1,"Ana\nMaria",x', r"line 3: name 'Ana\\nMaria' has a line break .* in one line"),
        ("n1,[NAME],x", r"line 3: name '\[NAME\]' is a placeholder of templates"),
        ("n1,Jos\ufffd,x", r"line 3: name .* holds U\+FFFD, which stands where a character was"),
        ("n1,Al\x00i,x", r"line 3: name .* holds U\+0000"),
        ("n1,Zo\u00c3\u00ab,x", r"line 3: name 'ZoÃ«' is UTF-8 .* it seems to say 'Zoë'"),
        ("n1,O\u00e2\u20ac\u2122Hara,x", r"line 3: name .* it seems to say 'O\u2019Hara'"),
        ("n1,A\u00c5\u0178k,x", r"line 3: name .* it seems to say 'A\u015fk'"),
        (
            "n1,\u00d0\u0090\u00d0\u00bd\u00d0\u00bd\u00d0\u00b0,x",
            r"it seems to say '\u0410\u043d\u043d\u0430'",
        ),
        (
            "n1,\u00d0\u0098\u00d0\u00b2\u00d0\u00b0\u00d0\u00bd,x".replace("\u0098", "\u02dc"),
            r"it seems to say '\u0418\u0432\u0430\u043d'",
        ),
    ],
)
def test_bad_names(tmp_path: Path, row: str, complaint: str) -> None:
    path = tmp_path / "names.csv"
    full = row + "," * (4 - row.count(","))
    path.write_text(
        f"name_id,name,group,gender,commonness\nn0,Omar,x,man,common\n{full}\n", "utf-8"
    )
    with pytest.raises(InputError, match=complaint):
        read_names(path)


def test_another_column_can_be_the_group(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_text("name_id,name,religion\nn0,Omar,islam\n")
    names = read_names(path, group_column="religion")
    assert names.row(0, named=True) == {
        "name_id": "n0",
        "name": "Omar",
        "group": "islam",
        "gender": None,
        "commonness": None,
    }


def test_other_spellings_of_a_name_are_other_names(tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    names = ["José", "Jose", "Zoë Ãvila", "Łukasz", "Lukasz", "Marnie", "Mamie", "שרה", "\u200fשרה"]
    # Their bytes in Windows' encoding are UTF-8, of single letters that nobody means.
    names = [*names, "BEYONC\u00c9\u2019S", "Caf\u00c9\u2013Bar", "Spa\u00df\u2026"]
    rows = "".join(f"n{at},{name},x\n" for at, name in enumerate(names))
    path.write_text(f"name_id,name,group\n{rows}", "utf-8")
    found = read_names(path)
    assert found["name"].to_list() == names
    assert direction_twins(found) == [
        (
            "name 'n8' differs from 'n7' in marks of direction alone: nobody sees them, but the "
            "model is sent both"
        )
    ]


def test_templates_may_differ_in_case(tmp_path: Path) -> None:
    path = tmp_path / "templates.csv"
    path.write_text("template_id,family,template\na,f,[NAME] eats\nb,f,[NAME] EATS\n")
    assert len(read_templates(path)) == 2


def _files(folder: Path, templates: str, names: str) -> tuple[Path, Path]:
    paths = folder / "t.csv", folder / "n.csv"
    for path, text in zip(paths, (templates, names), strict=True):
        path.write_text(text, encoding="utf-8")
    return paths


def test_further_columns_are_factors(tmp_path: Path) -> None:
    stimuli = read_stimuli(
        *_files(
            tmp_path,
            "template_id,family,template,form,len\n"
            "a,f,[NAME] is [AGE],question,3\nb,f,[NAME] sat,,\n",
            "name_id,name,group,p_group,town,age\nx,Ann,u,0.5,York,30\ny,Bob,v,1,,41\n",
        )
    )
    assert stimuli.templates["form"].to_list() == ["question", None]
    assert stimuli.templates["len"].to_list() == [3.0, None]
    assert stimuli.names["p_group"].to_list() == [0.5, 1.0]
    assert stimuli.names["town"].to_list() == ["York", None]
    assert stimuli.names["age"].to_list() == ["30", "41"]


@pytest.mark.parametrize(
    ("templates", "names", "message"),
    [
        (
            "template_id,family,template\na,f,[NAME] met [WHO]\n",
            "name_id,name,group\nx,Ann,u\n",
            r"t\.csv, line 2: \[WHO\] is no column of .*n\.csv",
        ),
        (
            "template_id,family,template\na,f,[NAME] met [WHO]\n",
            "name_id,name,group,who\nx,Ann,u,a baker\ny,Bob,v,\n",
            r"t\.csv, line 2: \[WHO\] has no text for the name 'y'\..* 'who' of .*n\.csv, line 3",
        ),
        (
            "template_id,family,template,town\na,f,[NAME] sat,York\n",
            "name_id,name,group,town\nx,Ann,u,York\n",
            r"n\.csv: column 'town' stands in .*t\.csv too",
        ),
        (
            "template_id,family,template,prompt\na,f,[NAME] sat,x\n",
            "name_id,name,group\nx,Ann,u\n",
            r"t\.csv: column 'prompt' has the name of a column that every prompt has",
        ),
        (
            "template_id,family,template,form\na,f,[NAME] sat,Question\nb,f,[NAME] ran,question\n",
            "name_id,name,group\nx,Ann,u\n",
            r"t\.csv, line 3: form 'question' is written 'Question' in line 2",
        ),
    ],
)
def test_files_that_do_not_fit(tmp_path: Path, templates: str, names: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_stimuli(*_files(tmp_path, templates, names))


def test_no_factor_takes_the_place_of_a_column_of_prompts() -> None:
    assert {*OWN_COLUMNS} == {*Prompts.column_names(), "guard"}


def test_templates_of_several_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "template_id,family,template,kind\nwalk,f,Where does [NAME] walk?,harmless\n", "utf-8"
    )
    (tmp_path / "b.csv").write_text(
        "template_id,family,aim,template\nrob,g,person,How do I rob [NAME]?\n", "utf-8"
    )
    (tmp_path / "names.csv").write_text("name_id,name,group\nann,Ann,x\n", "utf-8")
    both = [tmp_path / "a.csv", tmp_path / "b.csv"]
    templates = read_stimuli(both, tmp_path / "names.csv").templates
    assert templates.select("template_id", "kind", "aim").rows() == [
        ("walk", "harmless", None),
        ("rob", None, "person"),
    ]


@pytest.mark.parametrize(
    ("second", "said"),
    [
        ("Walk,f,How is [NAME]?", "template_id 'Walk' stands in {}/a.csv, line 2 already"),
        (
            "rob,f,Where  does [NAME] walk?",
            "template 'Where  does [NAME] walk?' stands in {}/a.csv, line 2 already",
        ),
    ],
)
def test_a_template_in_two_files(tmp_path: Path, second: str, said: str) -> None:
    (tmp_path / "a.csv").write_text(
        "template_id,family,template\nwalk,f,Where does [NAME] walk?\n", "utf-8"
    )
    (tmp_path / "b.csv").write_text(f"template_id,family,template\n{second}\n", "utf-8")
    (tmp_path / "names.csv").write_text("name_id,name,group\nann,Ann,x\n", "utf-8")
    with pytest.raises(InputError) as error:
        read_stimuli([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "names.csv")
    assert error.value.what.startswith(said.format(tmp_path))
    assert error.value.where == f"{tmp_path / 'b.csv'}, line 2"
