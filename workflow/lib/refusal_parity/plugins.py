"""Files of other people's that declare something of their own, found by their names.

Each kind of thing that can be declared loads its own, where all that ship are declared.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Final

PLUGINS: Final = "REFUSAL_PARITY_PLUGINS"
"""Environment variable that names folders with such files."""


def declare_plugins(kind: str) -> None:
    """Import every `*_<kind>.py` in the folders that `PLUGINS` names, in the order of names.

    Args:
        kind: what such files declare: `engine`, `outcome`, `dimension`, `method`, `table` or
            `figure`.
    """
    for folder in filter(None, os.environ.get(PLUGINS, "").split(os.pathsep)):
        if folder not in sys.path:
            sys.path.append(folder)
        for path in sorted(Path(folder).glob(f"*_{kind}.py")):
            importlib.import_module(path.stem)
