"""Machine labels by text and classifier, for all studies of a results folder."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

import polars as pl

from refusal_parity.chunks import (
    BrokenChunkError,
    ChunkName,
    chunks_in,
    moment,
    read_chunk,
    write_chunk,
)
from refusal_parity.counting import agreed, counted
from refusal_parity.labelling.classifier import fold_of
from refusal_parity.tables import KnownLabels, empty
from refusal_parity.uses import former_use, note_use

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from refusal_parity.labelling.classifier import Classifier


class KnowingClassifier:
    """A classifier that says again what it said of a text before, whichever study asked.

    What it says hangs on the text, its prompt and name alone, never on the rows beside it:
    so a row that is taken over equals one that is made anew.

    Attributes:
        classifier_id: the classifier's.
        taken: rows of which it was known before what the classifier says.
        new: rows of which it was not.
    """

    def __init__(
        self,
        classifier: Classifier,
        store: Path,
        *,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Stand before what is known of a classifier; nothing is made yet.

        Args:
            classifier: says what is not known.
            store: folder of the whole store.
            say: called with a line about what is found.
        """
        self.classifier_id = classifier.classifier_id
        self.taken = self.new = 0
        self._classifier = classifier
        self._folder = store / classifier.classifier_id
        self._say = say
        self._begun = moment(datetime.now(tz=UTC))
        self._job = uuid4().hex[:12]
        self._written = 0

    def predict(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What `Classifier.predict` gives, of which only what is new is computed, and kept.

        Args:
            frame: as that has it.
        """
        rows = frame.with_columns(text_id=self._text_ids(frame))
        known = self._find(rows.select("text_id"))
        missing = rows.join(known, on="text_id", how="anti", maintain_order="left")
        self.taken += len(rows) - len(missing)
        self.new += len(missing)
        asked = missing.unique("text_id", keep="first", maintain_order=True)
        said = asked.select("text_id").hstack(self._classifier.predict(asked))
        if len(said):
            self._written += 1
            name = ChunkName(self._begun, self._job, self._written, "")
            write_chunk(said, KnownLabels, self._folder, name, {})
        everything = pl.concat([known, said.select(known.columns).cast(known.schema)])
        given = rows.select("text_id").join(
            everything, on="text_id", how="left", maintain_order="left"
        )
        return given.drop("text_id")

    def note_use(self, output: Path) -> None:
        """Say how much was taken over for a table, and whether another classifier made it before.

        Args:
            output: the table.
        """
        former = former_use(self._folder, output)
        if former is not None:
            self._say(
                f"another classifier than before: {former.name} gave this table's machine labels, "
                f"now {self.classifier_id} does; none of the former's is taken over"
            )
        self._say(
            f"{self.taken:,} of {counted(self.taken + self.new, 'machine label')} "
            f"{agreed(self.taken, 'is', 'are')} there already, of the "
            f"same texts by the same classifier; {self.new:,} are new"
        )
        note_use(self._folder, output)

    def _text_ids(self, frame: pl.DataFrame) -> pl.Series:
        """Hash of all that the classifier looks at in a row."""
        models = len(self._classifier.models)
        folds = fold_of(frame["prompt_id"], models) if models > 1 else [0] * len(frame)
        texts = frame.select("response", "name", "prompt").iter_rows()
        seen = (json.dumps([fold, *row]) for fold, row in zip(folds, texts, strict=True))
        ids = [hashlib.sha256(one.encode()).hexdigest()[:32] for one in seen]
        return pl.Series("text_id", ids, dtype=pl.String)

    def _find(self, wanted: pl.DataFrame) -> pl.DataFrame:
        """What is known of these texts, each once; a broken file is named and set aside."""
        none = empty(KnownLabels)
        frames = [none]
        for path in chunks_in(self._folder):
            try:
                rows, _ = read_chunk(path)
            except BrokenChunkError:
                path.rename(path.with_suffix(".damaged"))
                self._say(f"{path} is truncated or corrupt: its texts are labelled again")
                continue
            found = rows.join(wanted, on="text_id", how="semi")
            frames.append(found.select(none.columns).cast(none.schema))
        return pl.concat(frames).unique("text_id", keep="first", maintain_order=True)
