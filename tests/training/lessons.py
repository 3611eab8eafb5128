"""Small files of pairs, and accounts of what became of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from refusal_parity.config import PairsFile
from refusal_parity.preference.lexicon import read_lexicon
from refusal_parity.training.lessons import Account, choose_lessons

if TYPE_CHECKING:
    from pathlib import Path

Pair = tuple[str, str, str]
"""A transcript before the answers, the preferred answer and the other."""


def write_pairs(path: Path, pairs: list[Pair]) -> PairsFile:
    """Write transcripts."""
    rows = [
        {"chosen": f"{opening}\n\nAssistant: {one}", "rejected": f"{opening}\n\nAssistant: {two}"}
        for opening, one, two in pairs
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return PairsFile.model_validate({"path": str(path), "format": "transcripts"})


def chosen(
    root: Path, files: dict[str, PairsFile], without: list[str]
) -> tuple[pl.DataFrame, Account]:
    """The pairs to learn from, and the account."""
    account = Account()
    parts = choose_lessons(
        files,
        {key: file.path for key, file in files.items()},
        lexicon=read_lexicon(root / "data/mentions.csv"),
        without=without,
        account=account,
    )
    return pl.concat(list(parts)), account
