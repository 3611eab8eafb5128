"""The studies are what their program makes, and their numbers are what R gives now."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from reference_studies import FOLDER, LISTED, OWN, numbers_of_r

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PACKAGES = ("clubSandwich", "sandwich", "lme4", "jsonlite")


def test_studies_are_what_the_program_makes(tmp_path: Path) -> None:
    program = FOLDER / "make_studies.py"
    subprocess.run([sys.executable, program, tmp_path], check=True)
    assert {each.stem for each in tmp_path.iterdir()} == {*OWN, LISTED}
    for key in (*OWN, LISTED):
        made, kept = (folder / f"{key}.csv" for folder in (tmp_path, FOLDER))
        assert made.read_text(encoding="utf-8") == kept.read_text(encoding="utf-8"), key


def leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every number and text of a JSON value, and where it stands."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from leaves(each, f"{place}.{key}")
    elif isinstance(value, list):
        for at, each in enumerate(value):
            yield from leaves(each, f"{place}[{at}]")
    else:
        yield place, value


def alike(one: Any, other: Any) -> bool:
    """Equal, but for the last digits of a processor's arithmetic."""
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    return math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)


@pytest.fixture(scope="module")
def rscript() -> str:
    """The program, where R and its packages are."""
    found = shutil.which("Rscript")
    if found is None:
        pytest.skip("Rscript is not installed: `make reference` installs it")
    asked = (
        f"cat(setdiff(strsplit('{' '.join(PACKAGES)}', ' ')[[1]], rownames(installed.packages())))"
    )
    missing = subprocess.run(
        [found, "-e", asked], check=True, capture_output=True, text=True
    ).stdout
    if missing:
        pytest.skip(f"R lacks {missing}: `make reference` installs it")
    return found


def test_numbers_are_what_r_gives_now(rscript: str, tmp_path: Path) -> None:
    target = tmp_path / "reference.json"
    subprocess.run([rscript, FOLDER / "reference.R", target], check=True)
    now = json.loads(target.read_text(encoding="utf-8"))
    kept = numbers_of_r()
    # Versions may be others: it is the numbers that must not.
    for each in (now, kept):
        del each["meta"]["R"], each["meta"]["packages"]
    mine, theirs = dict(leaves(kept)), dict(leaves(now))
    assert mine.keys() == theirs.keys()
    assert [place for place in mine if not alike(mine[place], theirs[place])] == []
