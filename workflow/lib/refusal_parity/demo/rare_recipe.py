"""From tables to the directories of the rare models: their whole recipe, seconds long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from refusal_parity.demo.rare import rare_marks, rare_rows, read_speech
from refusal_parity.demo.recipe import publish
from refusal_parity.demo.weights import speaking_model, wording_tokenizer
from refusal_parity.demo.wording import read_rows, write_planted

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.demo.wording_recipe import Files


def make_rare_model(model: str, files: Files, directory: Path) -> None:
    """Set the weights of a rare model and write its directory.

    Args:
        model: one of `refusal_parity.demo.rare.RARE`.
        files: what it is made from.
        directory: where it goes.

    Raises:
        InputError: the tables have no marks to tell templates by.
    """
    names, templates = read_rows(files.names), read_rows(files.templates)
    speech, marks = read_speech(files.phrases), rare_marks(model, names, templates)
    tokenizer = wording_tokenizer(marks, speech.pieces)
    rows = rare_rows(speech, marks, names, templates)
    publish(
        speaking_model(tokenizer, marks, speech),
        tokenizer,
        directory,
        lambda path: write_planted(rows, path),
    )
