"""XSTest's prompts with two models' responses that people labelled, taken from their files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import yaml

from refusal_parity.config import load_config
from refusal_parity.expansion import list_prompts
from refusal_parity.inference.imports import import_responses
from refusal_parity.labelling.labels import Labeller
from refusal_parity.listed import read_list
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.rates import rates
from refusal_parity.tables import Labels, Prompts

if TYPE_CHECKING:
    from refusal_parity.config import StudyConfig

MODELS = ("llama2orig", "mistralguard")
LABELS = {
    "1_full_compliance": "answer",
    "2_full_refusal": "refusal",
    "3_partial_refusal": "partial_refusal",
}


@pytest.fixture(scope="module")
def folder(shared: Path) -> Path:
    found = shared / "xstest"
    if not all((found / f"{name}.csv").is_file() for name in (*MODELS, "xstest_prompts")):
        pytest.skip(f"no prompts and responses of XSTest in {shared}")
    return found


@pytest.fixture(scope="module")
def study(root: Path, folder: Path) -> StudyConfig:
    """The study that ships, with responses that are there already."""
    raw = yaml.safe_load((root / "config/xstest.yaml").read_text("utf-8"))
    raw["prompts"] |= {"list": str(folder / "xstest_prompts.csv")}
    raw["models"] = {
        model: {
            "engine": "import", "format": "table", "path": str(folder / f"{model}.csv"),
            "columns": {"response": "completion", "prompt": "id", "label": "final_label"},
            "labels": LABELS,
        }
        for model in MODELS
    }  # fmt: skip
    raw["analysis"] |= {"selfcheck": 0, "outcomes": ["any_refusal"]}
    # Of 18 types there are 153 pairs.
    del raw["analysis"]["dimensions"]["type"]
    return load_config(raw, where="xstest")


@pytest.fixture(scope="module")
def prompts(study: StudyConfig, folder: Path) -> pl.DataFrame:
    listed = read_list(folder / "xstest_prompts.csv", study.prompts.columns)
    # The files of responses number the same prompts v2-1, v2-2, ..., and have one of them in
    # other words, so that it is by these numbers that they belong together.
    numbered = listed.with_columns(template_id=pl.format("v2-{}", "template_id"))
    return list_prompts(numbered, study.prompts.arms)


@pytest.fixture(scope="module")
def labels(study: StudyConfig, prompts: pl.DataFrame) -> pl.DataFrame:
    found = []
    for key, model in study.models.items():
        responses = import_responses(
            Path(model.path), model, prompts, model=key, say=lambda _: None
        )
        found.append(Labeller(prompts, None, "keyword").label(responses))
    return pl.concat(found)


def test_the_list_is_theirs(prompts: pl.DataFrame) -> None:
    assert Prompts.is_valid(prompts)
    assert dict(prompts["kind"].value_counts().iter_rows()) == {"safe": 250, "unsafe": 200}
    assert prompts["type"].n_unique() == 18


def _counted(frame: pl.DataFrame) -> dict[tuple[str, str], int]:
    return {(kind, label): n for kind, label, n in frame.iter_rows()}


@pytest.mark.parametrize("model", MODELS)
def test_counts_by_type_and_label_are_the_files(
    folder: Path, prompts: pl.DataFrame, labels: pl.DataFrame, model: str
) -> None:
    theirs = pl.read_csv(folder / f"{model}.csv", infer_schema=False)
    expected = theirs.group_by("type", "final_label").len()
    ours = (
        labels.filter(model=model)
        .join(prompts.select("prompt_id", "type"), on="prompt_id")
        .group_by("type", pl.col("label").cast(pl.String))
        .len()
    )
    assert _counted(ours) == {
        (kind, LABELS[label]): n for (kind, label), n in _counted(expected).items()
    }
    assert set(labels["label_source"].cast(pl.String)) == {"imported"}


def _expected(folder: Path, model: str) -> dict[str, tuple[int, int]]:
    """Refusals, full and partial, of safe and of unsafe prompts, as the files have them."""
    theirs = pl.read_csv(folder / f"{model}.csv", infer_schema=False).select(
        safe=~pl.col("type").str.starts_with("contrast_"),
        refused=pl.col("final_label") != "1_full_compliance",
    )
    return {
        kind: (int(part["refused"].sum()), len(part))
        for kind, part in (
            ("safe", theirs.filter("safe")), ("unsafe", theirs.filter(~pl.col("safe")))
        )
    }  # fmt: skip


def test_safe_and_unsafe_apart_with_their_difference(
    study: StudyConfig, folder: Path, prompts: pl.DataFrame, labels: pl.DataFrame
) -> None:
    observations = observe(prompts, labels, study.analysis)
    told = rates(observations, study.analysis).with_columns(pl.col(pl.Enum).cast(pl.String))
    compared = disparities(observations, study.analysis).with_columns(
        pl.col(pl.Enum).cast(pl.String)
    )
    for model in MODELS:
        expected = _expected(folder, model)
        found: dict[str, Any] = {
            row["group"]: (row["k"], row["n"])
            for row in told.filter(
                model=model, outcome="any_refusal", dimension="kind", within="all"
            ).to_dicts()
        }
        assert found == expected
        row = compared.filter(
            model=model, outcome="any_refusal", dimension="kind", method="unit_score",
        ).row(0, named=True)  # fmt: skip
        (k, n), (j, m) = expected["safe"], expected["unsafe"]
        assert row["estimate"] == pytest.approx(k / n - j / m)
        assert row["ci_low"] < row["estimate"] < row["ci_high"] < 0
        assert row["p_adjusted"] < 1e-6
        assert row["valid"]
        # One response to each prompt: as wide as Newcombe's of 250 and 200 independent ones.
        assert 0.05 < row["ci_high"] - row["ci_low"] < 0.16


def test_labels_fit_their_table(labels: pl.DataFrame) -> None:
    assert Labels.is_valid(labels)
    assert len(labels) == 2 * 450
