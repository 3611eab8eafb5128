"""From tables to the directories of the wording models: their whole recipe, seconds long."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import yaml

from refusal_parity.demo.recipe import publish
from refusal_parity.demo.weights import wording_model, wording_tokenizer
from refusal_parity.demo.wording import LAWS, marks, planted, read_rows, write_planted

if TYPE_CHECKING:
    from pathlib import Path

Texts = list[tuple[str, float]]


class Files(NamedTuple):
    """What a wording model is made from: CSVs of names and templates, and what it says."""

    names: Path
    templates: Path
    phrases: Path


def make_wording_model(model: str, files: Files, directory: Path) -> None:
    """Set the weights of a wording model and write its directory.

    Args:
        model: one of `refusal_parity.demo.wording.LAWS`.
        files: what it is made from.
        directory: where it goes.

    Raises:
        InputError: the tables have no marks to tell wordings by.
    """
    law, names = LAWS[model], read_rows(files.names)
    heard = marks(law, names, read_rows(files.templates))
    refusals, answers = texts(files.phrases)
    tokenizer = wording_tokenizer(heard, [text for text, _ in (*refusals, *answers)])
    network = wording_model(tokenizer, heard, law.base, refusals, answers)
    publish(network, tokenizer, directory, lambda path: write_planted(planted(law, names), path))


def texts(path: Path) -> tuple[Texts, Texts]:
    """What refuses and what answers, each text with its weight."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    refusals, answers = (
        [(str(text), float(weight)) for text, weight in content[label]]
        for label in ("refusal", "answer")
    )
    return refusals, answers
