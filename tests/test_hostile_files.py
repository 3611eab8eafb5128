"""Files that would keep a run busy for ever, or fill its memory, end in a sentence soon."""

from __future__ import annotations

import os
import time
import zipfile
from typing import TYPE_CHECKING, Final

import pytest
import xlsxwriter

from refusal_parity import workbooks
from refusal_parity.audit.label_studio import read_export
from refusal_parity.cells import read_header
from refusal_parity.config import load_config
from refusal_parity.config.reading import read_study
from refusal_parity.errors import InputError
from refusal_parity.inference.checks import adapter_rank, read_model_config
from refusal_parity.inference.response_files import read_columns
from refusal_parity.prompts import read_names
from refusal_parity.workbooks import workbook_rows

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LONGEST_S: Final = 60
"""On a machine that is busy with other things; each takes a second or two."""


def _wide(path: Path) -> None:
    header = ["name_id", "name", "group", *(f"c{number}" for number in range(100_000))]
    path.write_text("\n".join([",".join(header), "a,Ana,x" + ",1" * 100_000]), "utf-8")


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _far(path: Path) -> None:
    """One cell at the end of a sheet: all before it would be 17 thousand million."""
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        sheet.write_row(0, 0, ("name_id", "name", "group"))
        sheet.write(1_048_575, 16_383, "x")


def _bomb(path: Path) -> None:
    """A workbook of 2 GB in 2 MB."""
    with xlsxwriter.Workbook(path) as made:
        made.add_worksheet().write_row(0, 0, ("name_id", "name", "group"))
    blank = b" " * 2**24
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("xl/more.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(128):
            part.write(blank)


@pytest.mark.parametrize(
    ("name", "make", "read", "said"),
    [
        ("names.csv", _wide, read_names, "line 1: 100,003 columns, more than any table of people"),
        ("names.csv", _endless, read_names, "is no file but a device or a pipe"),
        ("names.csv", _endless, read_header, "is no file but a device or a pipe"),
        ("names.csv", _pipe, read_names, "is no file but a device or a pipe"),
        ("names.xlsx", _endless, read_names, "is no file but a device or a pipe"),
        ("names.xlsx", _far, read_names, "perhaps a cell far out|cannot be read as a workbook"),
        ("names.xlsx", _bomb, read_names, "bytes unfold to 2,147,"),
    ],
)
def test_files_without_an_end(
    tmp_path: Path,
    name: str,
    make: Callable[[Path], None],
    read: Callable[[Path], object],
    said: str,
) -> None:
    path = tmp_path / name
    make(path)
    began = time.monotonic()
    with pytest.raises(InputError, match=said):
        read(path)
    assert time.monotonic() - began < _LONGEST_S


def test_a_workbook_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "names.xlsx"
    with xlsxwriter.Workbook(path) as made:
        made.add_worksheet().write_row(0, 0, ("name_id", "name", "group"))
    monkeypatch.setattr(workbooks, "load_workbook", lambda _: time.sleep(60))
    monkeypatch.setattr(workbooks, "_LONGEST_S", 0.2)
    with pytest.raises(InputError, match=r"took more than 0\.2 s or 2,000 MB"):
        workbook_rows(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("study: " + "[" * 5000 + "]" * 5000, "cannot be read as YAML"),
        ("study: " + "{a: " * 900 + "1" + "}" * 900, "cannot be read as YAML"),
        ("study: s\nsamples: 1" + "0" * 5000, "cannot be read as YAML"),
        ("study: " + "s" * 2_000_000, "holds 2,000,007 bytes, more than any config"),
        ("x: !!python/object/apply:os.system ['true']", "could not determine a constructor"),
    ],
    ids=["lists", "mappings", "digits", "bytes", "tag"],
)
def test_configs_without_an_end(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(content, "utf-8")
    with pytest.raises(InputError, match=said) as raised:
        read_study(path)
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("key", ["m" * 101, "../m", "{v1}", "a\u202eb", "a\x00b", ""])
def test_keys_are_names_of_folders(key: str) -> None:
    served = {"engine": "openai", "base_url": "http://127.0.0.1/v1", "model": "m"}
    study = {
        "study": "s",
        "prompts": {"templates": "t.csv", "names": "n.csv"},
        "models": {key: served},
        "analysis": {"dimensions": {"group": {"reference": "x"}}},
    }
    with pytest.raises(InputError, match="models"):
        load_config(study, where="study.yaml")


DEEP: Final = "[" * 100_000 + "]" * 100_000
DIGITS: Final = '{"a": ' + "9" * 9_000 + "}"


@pytest.mark.parametrize("content", [DEEP, DIGITS, DEEP[:100_000]], ids=["deep", "digits", "open"])
@pytest.mark.parametrize(
    "read",
    [
        lambda path: list(read_export(path, "f")),
        lambda path: read_columns(path, {"response": "r"}),
        lambda path: read_model_config(path.parent),
        lambda path: adapter_rank(path.parent),
    ],
    ids=["labels", "responses", "model", "adapter"],
)
def test_json_without_an_end(tmp_path: Path, read: Callable[[Path], object], content: str) -> None:
    path = tmp_path / "config.json"
    for name in (path.name, "adapter_config.json"):
        (tmp_path / name).write_text(content, "utf-8")
    for name in ("model.safetensors", "adapter_model.safetensors"):
        (tmp_path / name).touch()
    with pytest.raises(InputError) as raised:
        read(path)
    assert len(str(raised.value)) < 1000


def test_what_is_quoted_of_a_file_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text(str({f"{number:06}": 1 for number in range(50_000)}).replace("'", '"'), "utf-8")
    with pytest.raises(InputError, match=r"which response names, is missing .*…\. Correct") as it:
        read_columns(path, {"response": "r"})
    assert len(str(it.value)) < 3000


@pytest.mark.parametrize("odd", ["1e999", "-1e999", "NaN", '"99999"', "[1]", "null"])
def test_odd_keys_and_times_of_annotations(tmp_path: Path, odd: str) -> None:
    path = tmp_path / "export.json"
    result = '[{"from_name": "label", "value": {"choices": ["answer"]}}]'
    path.write_text(
        f'[{{"data": {{"task": "t"}}, "annotations": [{{"id": {odd}, "created_at": {odd}, '
        f'"completed_by": {odd}, "result": {result}}}]}}]',
        "utf-8",
    )
    (vote,) = read_export(path, "f")
    assert vote.label == "answer"
