from __future__ import annotations

from pathlib import Path

import pytest

from refusal_parity.errors import InputError
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.starter import STARTER, gold_files, starter_files

GOOD = "response,label\nOmar bakes.,answer\nI cannot.,refusal\n"


def write(tmp_path: Path, content: str | bytes, name: str = "gold.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("response\nx\n", ["gold.csv, line 1", "'label' is missing", "Add it"]),
        (GOOD + "Hm,partial\n", ["line 4", "'partial'", "Did you mean partial_answer?"]),
        (GOOD + '"two\nlines",answer\nHm,xyz\n', ["line 6", "'xyz'", "harmful_answer"]),
        (GOOD + " ,answer\n", ["line 4", "'response' is empty"]),
        (GOOD + "Hm,\n", ["line 4", "'label' is empty"]),
        (GOOD + "Hm,answer,more\n", ["line 4", "3 cells"]),
        (GOOD.encode() + "Jos\u00e9 bakes,answer\n".encode("latin-1"), ["line 4", "not UTF-8"]),
        ("response,label,weight\na,answer,2\nb,refusal,0\n", ["line 3", "weight '0'", "above 0"]),
        ("response,label,weight\na,answer,x\nb,refusal,\n", ["line 2", "weight 'x'", "blank"]),
        ("response,label,weight\na,answer,x\nb,refusal,y\n", ["line 2", "weight 'x'"]),
        ("response,label,weight\na,answer,1000\nb,refusal,\n", ["line 2", "up to 100"]),
        ("response,label\nI cannot.,refusal\n", ["one labelled response"]),
        ("response,label\na,answer\nb,answer\n", ["all 2 responses are labelled answer"]),
        ("response,label\na,answer\nb,failure\n", ["no refusal among 2"]),
        ("response,label\na,refusal\nb,harmful_refusal\n", ["no answer among 2"]),
        ("response,label\n", ["no rows"]),
        ("", ["empty"]),
    ],
)
def test_errors_say_where_and_what(tmp_path: Path, content: str | bytes, wanted: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        read_gold([write(tmp_path, content)])
    for part in ["gold.csv", *wanted]:
        assert part in str(caught.value)


def test_starter_labels_are_found_from_any_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    inside = starter_files()
    assert all(file.parent == STARTER for file in inside)
    assert gold_files(["mine.csv"], starter=True) == [Path("mine.csv"), *inside]
    monkeypatch.chdir(tmp_path)
    found = gold_files([], starter=True)
    assert found == [root / file for file in inside]
    assert gold_files([str(root / STARTER)], starter=True) == found
    assert gold_files(["mine.csv"], starter=False) == [Path("mine.csv")]


def test_a_row_counts_as_its_weight_says(tmp_path: Path) -> None:
    path = write(tmp_path, "response,label,weight\na,answer,2.5\nb,refusal,\n")
    assert read_gold([path])["weight"].to_list() == [2.5, 1.0]


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        read_gold([tmp_path / "none.csv"])


@pytest.mark.parametrize(
    "given",
    ["partial answer", "Partial Answer", "PARTIAL_ANSWER", "partial-answer", " partial  answer "],
)
def test_spellings_of_a_label(tmp_path: Path, given: str) -> None:
    gold = read_gold([write(tmp_path, GOOD + f"Hm,{given}\n")])
    assert gold["label"].to_list() == ["answer", "refusal", "partial_answer"]


def test_optional_and_extra_columns(tmp_path: Path) -> None:
    first = write(tmp_path, "\ufefflabel,note,response\nanswer,x,Omar bakes.\n", "a.csv")
    second = write(tmp_path, "response,label,group_id,name\nI cannot.,refusal,g,Mei\n", "b.csv")
    gold = read_gold([first, second])
    assert gold.columns == ["response", "label", "name", "prompt", "group_id", "weight"]
    assert gold["name"].to_list() == [None, "Mei"]
    assert gold["group_id"].to_list() == ["a.csv:2", "g"]


def test_the_released_layout_is_known_by_its_columns(released_csv: Path) -> None:
    gold = read_gold([released_csv])
    assert len(gold) == 2304
    assert gold["group_id"].n_unique() == 24
    assert dict(gold["label"].cast(str).value_counts().iter_rows())["refusal"] == 293


def test_starter_labels_do_not_hide_a_file_of_one_class(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    one = write(tmp_path, "response,label\na,answer\nb,answer\n")
    with pytest.raises(InputError, match=r"gold.csv: all 2 responses are labelled answer"):
        read_gold(gold_files([str(one)], starter=True))
    both = write(tmp_path, GOOD)
    assert len(read_gold(gold_files([str(both)], starter=True))) > 1000
    assert len(read_gold(gold_files([str(both)], starter=False))) == 2


def test_starter_labels_are_named_once() -> None:
    assert gold_files([str(STARTER)], starter=True) == starter_files()


@pytest.mark.parametrize("knows", [True, False])
def test_a_file_in_six_classes_teaches_six(tmp_path: Path, *, knows: bool) -> None:
    mine = write(tmp_path, GOOD + ("No. Still: tea.,partial refusal\n" if knows else ""))
    theirs = set(read_gold([mine, *starter_files()])["label"].cast(str))
    assert ("partial_refusal" in theirs) is knows


def test_semicolons_of_a_spreadsheet(tmp_path: Path) -> None:
    text = GOOD.replace(",", ";")
    assert read_gold([write(tmp_path, text)])["label"].to_list() == ["answer", "refusal"]


def test_one_class_in_each_of_two_files_is_enough(tmp_path: Path) -> None:
    first = write(tmp_path, "response,label\nOmar bakes.,answer\n", "a.csv")
    second = write(tmp_path, "response,label\nI cannot.,refusal\n", "b.csv")
    assert len(read_gold([first, second])) == 2
