"""Tables of responses that were made elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from refusal_parity.config import ImportModel, TableColumns
from refusal_parity.inference.import_table import read_response_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import polars as pl


def read(
    path: Path,
    columns: TableColumns,
    prompts: pl.DataFrame,
    *,
    say: Callable[[str], None] = lambda _: None,
    **more: Any,
) -> pl.DataFrame:
    """What a table holds of the model `m`."""
    source = ImportModel(engine="import", path=str(path), format="table", columns=columns, **more)
    return read_response_table(path, source, prompts, model="m", say=say)
