"""The package's rooms know each other one way only, and none makes others wait."""

import ast
import os
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "refusal_parity"


def _imports(path: Path) -> set[str]:
    """Modules that a module needs as soon as it is imported (not for types alone)."""
    found = (node for node in ast.parse(path.read_text("utf-8")).body)
    return {node.module or "" for node in found if isinstance(node, ast.ImportFrom)}


def _room(module: str, house: str) -> str | None:
    """The room of `house` that a module lies in: a folder, or a file beside the folders."""
    return (
        module.removeprefix(f"{house}.").partition(".")[0]
        if module.startswith(f"{house}.")
        else None
    )


@pytest.mark.parametrize("house", [PACKAGE, f"{PACKAGE}.statistics", f"{PACKAGE}.inference"])
def test_no_circle_of_rooms(root: Path, house: str) -> None:
    lib = root / "workflow" / "lib"
    needs: dict[str, set[str]] = {}
    for path in (lib / house.replace(".", "/")).rglob("*.py"):
        parts = path.relative_to(lib).with_suffix("").parts
        if parts[-1] == "__main__":
            # A program at the door of its room, which no module imports.
            continue
        room = _room(".".join(parts[:-1] if parts[-1] == "__init__" else parts), house)
        if room is not None:
            others = {_room(module, house) for module in _imports(path)}
            needs.setdefault(room, set()).update(
                other for other in others if other not in {None, room}
            )
    assert len(needs) > 10
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        pytest.fail(f"a circle of rooms in {house}: {' -> '.join(error.args[1])}")


def test_planning_a_study_waits_for_no_slow_import(root: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-c", "import sys, refusal_parity.study; print(*sys.modules)"],
        env=os.environ | {"PYTHONPATH": str(root / "workflow/lib")},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert "polars" in loaded
    assert not {"dataframely", "matplotlib", "pyarrow", "sklearn", "statsmodels"} & set(loaded)
