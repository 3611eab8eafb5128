from __future__ import annotations

import re
from typing import TYPE_CHECKING

from refusal_parity import reference

if TYPE_CHECKING:
    from pathlib import Path


def test_generated_files_are_up_to_date(root: Path, tmp_path: Path) -> None:
    reference.main(tmp_path)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) == 4
    for path in made:
        shipped = root / path.relative_to(tmp_path)
        assert shipped.read_text(encoding="utf-8") == path.read_text(encoding="utf-8"), (
            f"{shipped} is old: run `make schema`"
        )


def test_every_study_that_ships_is_listed(root: Path) -> None:
    listed = re.findall(
        r"^\| `([\w-]+\.yaml)` \|", (root / "config/README.md").read_text(), re.MULTILINE
    )
    assert sorted(listed) == sorted(path.name for path in (root / "config").glob("*.yaml"))


def test_every_key_has_a_description() -> None:
    for name, section in reference.config_schema()["$defs"].items():
        for key, value in section.get("properties", {}).items():
            assert "description" in value or "$ref" in value, f"{name}.{key}"
