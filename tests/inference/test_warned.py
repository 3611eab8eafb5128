from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.config import ImportModel, TableColumns
from refusal_parity.expansion import expand
from refusal_parity.inference.imports import describe, import_responses
from refusal_parity.inference.warned import Warned

if TYPE_CHECKING:
    from pathlib import Path


def test_warnings_are_kept_and_every_line_is_said() -> None:
    said = list[str]()
    heard = Warned(said.append)
    for line in ("3 responses", "WARNING two rows are odd", "a WARNING in a line is none"):
        heard(line)
    assert said == ["3 responses", "WARNING two rows are odd", "a WARNING in a line is none"]
    assert heard.warnings == ["two rows are odd"]


def test_what_an_import_warns_of_goes_into_the_tables_metadata(tmp_path: Path) -> None:
    prompts = expand(
        pl.DataFrame({"template_id": ["t"], "family": ["f"], "template": ["[NAME] sings"]}),
        pl.DataFrame(
            {
                "name_id": ["a", "b"],
                "name": ["Ana", "Bo"],
                "group": ["x", "y"],
                "gender": ["woman", "man"],
                "commonness": ["common", "common"],
            }
        ),
        {"plain": None},
    )
    rows = [
        {"p": "Ana sings", "resps": ["la", "lo"], "end": "stop"},
        {"p": "Bo sings", "resps": ["la"], "end": "paused"},
    ]
    path = tmp_path / "r.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    columns = TableColumns(prompt="p", response="resps.0", finish_reason="end")
    source = ImportModel(engine="import", path=str(path), format="table", columns=columns)
    heard = Warned(lambda _: None)
    import_responses(path, source, prompts, model="m", say=heard)
    known = describe(path, layout=source.format, warnings=heard.warnings)
    several, unknown = known["warnings"]
    assert several == (
        "'resps.0' takes the first where 1 row holds up to 2: the others, 1 in all, are not read; "
        "write each of them into a row of its own"
    )
    assert unknown == (
        "1 response came with the finish reason 'paused': it is kept as it is, and whether it was "
        "cut off is not known"
    )
