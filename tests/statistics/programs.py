"""Programs of `benchmarks/`, of which tests run a few studies."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

_FOLDER: Final = Path(__file__).parents[2] / "benchmarks"


@cache
def program_of(name: str) -> ModuleType:
    """A program as a module, under a name that no module of the tests or the package has."""
    # Some programs import others of their folder.
    sys.path.append(str(_FOLDER))
    key = f"benchmarks_{name}"
    spec = importlib.util.spec_from_file_location(key, _FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up.
    sys.modules[key] = module
    spec.loader.exec_module(module)
    return module
