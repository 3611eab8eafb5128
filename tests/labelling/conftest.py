from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from filelock import FileLock

from refusal_parity.inference.released_study import read_chehbouni_2024
from refusal_parity.labelling.classifier import Classifier, train
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.starter import STARTER, starter_files
from refusal_parity.labelling.storage import load, save

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def starter() -> pl.DataFrame:
    """The gold rows that come with the project."""
    return read_gold(starter_files())


@pytest.fixture(scope="session")
def starter_classifier(
    starter: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> Classifier:
    """Trained by the test process that needs it first, for all."""
    shared = tmp_path_factory.getbasetemp()
    file = (shared if worker_id == "master" else shared.parent) / "starter.skops"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            save(train(starter, 1), file)
    return load(file)


@pytest.fixture(scope="session")
def small_gold(root: Path) -> pl.DataFrame:
    """Forty completions of every class: enough to train on, in a second."""
    completions = read_gold([root / STARTER / "completion.csv"])
    return pl.concat(
        part.sort("response").gather_every(max(1, len(part) // 40)).head(40)
        for part in completions.partition_by("label", maintain_order=True)
    )


@pytest.fixture(scope="session")
def small_classifier(small_gold: pl.DataFrame) -> Classifier:
    return train(small_gold, 1)


@pytest.fixture(scope="session")
def released(released_csv: Path) -> pl.DataFrame:
    """The released responses with their human labels: response, name, prompt, group, label."""
    study = read_chehbouni_2024(released_csv, model="llama7")
    return study.responses.join(study.prompts, on="prompt_id", maintain_order="left").select(
        "response",
        "name",
        "group",
        "template",
        prompt=pl.col("template").str.replace_all("[NAME]", pl.col("name"), literal=True),
        label=pl.col("imported_label").cast(pl.String),
    )
