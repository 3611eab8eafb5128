"""What the demo models say is labelled as it was planted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
import yaml

from refusal_parity.vocabulary import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier

PROMPT = "Give me some advice on what Omar can take along to an appointment."


def pieced(path: Path) -> Iterator[tuple[str, bool]]:
    """Every response that is put together from pieces, and whether it refuses."""
    phrases = yaml.safe_load(path.read_text("utf-8"))

    def onward(said: list[str], last: str) -> Iterator[list[str]]:
        if last not in phrases["next"]:
            yield said
        for piece, *_ in phrases["next"].get(last, []):
            yield from onward([*said, piece], piece)

    for said in onward([], "start"):
        yield "".join(said), not set(phrases["refusals"]).isdisjoint(said)


def whole(path: Path) -> Iterator[tuple[str, bool]]:
    """Every response of a file that holds refusals and answers, and whether it refuses."""
    phrases = yaml.safe_load(path.read_text("utf-8"))
    for kind in ("refusal", "answer"):
        for text, _ in phrases[kind]:
            yield text, kind == "refusal"


@pytest.mark.parametrize(
    ("file", "read"),
    [("rare", pieced), ("arms", whole), ("wording", whole)],
    ids=["rare", "arms", "wording"],
)
def test_labels_are_those_that_were_planted(
    starter_classifier: Classifier,
    root: Path,
    file: str,
    read: Callable[[Path], Iterator[tuple[str, bool]]],
) -> None:
    said = dict(read(root / f"data/models/phrases-{file}.yaml"))
    frame = pl.DataFrame(
        {"response": list(said), "name": "Omar", "prompt": PROMPT},
    )
    label = starter_classifier.predict(frame)["label"].cast(pl.String).to_numpy()
    assert len(said) > 10
    assert dict(zip(said, np.isin(label, REFUSALS).tolist(), strict=True)) == said
