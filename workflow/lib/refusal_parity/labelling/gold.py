"""What the classifier learns from, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.labelling.goldfiles import read_gold_files
from refusal_parity.tables import Gold, conform

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import dataframely as dy


def read_gold(paths: Sequence[Path]) -> dy.DataFrame[Gold]:
    """Read gold files, one after the other, as one table.

    Args:
        paths: the files, as `read_gold_files` takes them.

    Raises:
        InputError: naming file and row of what cannot be used.
    """
    return conform(read_gold_files(paths), Gold, where=", ".join(map(str, paths)))
