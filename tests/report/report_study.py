"""A made-up study for the report's tests: tables as the statistics would make them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from report_tables import make_disparity, make_exclusions, make_overview, make_pooled, make_rates

from refusal_parity.config import StudyConfig, load_config
from refusal_parity.report import ReportInputs
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.tables import (
    TABLES,
    Findings,
    Labels,
    Responses,
    conform,
    tables_of,
    write_table,
)
from refusal_parity.vocabulary import (
    Label,
    LabelSource,
)

if TYPE_CHECKING:
    import dataframely as dy

ROOT = Path(__file__).parents[2]
SAMPLES = 3
GROUP_EFFECT = {"muslim": 0.28, "mexican": 0.12, "black": 0.12, "chinese": 0.06}


def config_of(models: list[str], **analysis: Any) -> StudyConfig:
    return load_config(
        {
            "study": "demo",
            "prompts": {"templates": "data/templates.csv", "names": "data/names-56.csv"},
            "models": {
                model: {
                    "engine": "vllm",
                    "source": {"path": f"data/models/{model}"},
                    "prompt_mode": "chat",
                }
                for model in models
            },
            "analysis": analysis,
        },
        where="config",
    )


def make_prompts() -> pl.DataFrame:
    names = pl.read_csv(ROOT / "data" / "names-56.csv")
    templates = pl.read_csv(ROOT / "data" / "templates.csv")
    return templates.join(names, how="cross").select(
        pl.concat_str("template_id", "name_id", separator="~").alias("prompt_id"),
        "template_id", "family", "template", "name_id", "name", "group", "gender", "commonness",
        pl.lit("plain").alias("arm"),
        pl.lit(None, pl.String).alias("system_prompt"),
        pl.col("template").str.replace("[NAME]", pl.col("name"), literal=True).alias("prompt"),
    )  # fmt: skip


def make_labels(prompts: pl.DataFrame, models: list[str]) -> pl.DataFrame:
    rng = np.random.default_rng(7)
    parts = []
    for model in models:
        cells = prompts.select("prompt_id", "template_id", "name_id", "group")
        shift = {name: rng.normal(0, 0.05) for name in cells["name_id"].unique().sort()}
        topic = {key: rng.normal(0, 0.1) for key in cells["template_id"].unique().sort()}
        planted = GROUP_EFFECT if model.endswith("guarded") else {}
        chance = np.array(
            [
                0.12 + planted.get(group, 0) + shift[name] + topic[template]
                for _, template, name, group in cells.iter_rows()
            ]
        ).clip(0.005, 0.95)
        for sample in range(SAMPLES):
            draw, kind = rng.random((2, len(chance)))
            labels = [
                (Label.HARMFUL_REFUSAL if k < 0.15 else Label.REFUSAL)
                if refused
                else Label.PARTIAL_ANSWER if k < 0.06
                else Label.FAILURE if k < 0.08
                else None if k > 0.996
                else Label.ANSWER
                for refused, k in zip(draw < chance, kind, strict=True)
            ]  # fmt: skip
            parts.append(
                cells.select("prompt_id").with_columns(
                    model=pl.lit(model),
                    sample=pl.lit(sample, pl.Int32),
                    label=pl.Series(labels, dtype=pl.String),
                )
            )
    extra = {
        name: pl.lit(None)
        for name in Labels.column_names()
        if name.startswith("p_") or name in {"classifier_id", "unseen", "distance", "unsure"}
    } | {"p_answer": pl.lit(0.75), "p_refusal": pl.lit(0.25)}
    labelled = pl.col("label").is_not_null()
    return pl.concat(parts).with_columns(
        machine_label=pl.col("label"),
        label_source=pl.when(labelled).then(pl.lit(LabelSource.CLASSIFIER.value)),
        truncated=pl.lit(value=False),
        filtered=pl.lit(value=False),
        exclusion=pl.when(~labelled).then(pl.lit("empty")),
        # The list knows no refusal that accuses.
        keyword_refusal=pl.col("label") == "refusal",
        **extra,
    )


def make_responses(labels: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """A text for each label row, from the label and the name."""
    name = labels.join(prompts.select("prompt_id", "name"), on="prompt_id", how="left")["name"]
    texts = [
        None if label is None else f"{label.replace('_', ' ')} for {name}."
        for label, name in zip(labels["label"].cast(pl.String), name, strict=True)
    ]
    empty = {
        column: pl.lit(None)
        for column in Responses.column_names()
        if column not in {"model", "prompt_id", "sample", "response", "status", "truncated"}
    }
    return labels.select("model", "prompt_id", "sample").with_columns(
        response=pl.Series(texts, dtype=pl.String),
        status=pl.Series(["empty" if text is None else "ok" for text in texts]),
        truncated=pl.lit(value=False),
        **empty,
    )


def make_inputs(models: list[str]) -> ReportInputs:
    prompts = make_prompts()
    labels = make_labels(prompts, models)
    rows = labels.join(prompts, on="prompt_id")
    rates = make_rates(rows)
    disparity = make_disparity(rates, "white")
    made = ReportInputs(
        config=config_of(models),
        tables=tables_by_schema(
            prompts=prompts,
            rates=rates,
            pooled=make_pooled(rows),
            disparity=disparity,
            exclusions=make_exclusions(rows),
            overview=make_overview(rates, disparity),
            labels=labels,
            responses=make_responses(labels, prompts),
        ),
        provenance={
            model: {
                "engine": "vllm", "engine_version": "0.32.0", "device": "cpu", "dtype": "float32",
                "weights_sha256": "9f" * 32, "sampling": {"temperature": 1.0, "seed": 1},
            }
            for model in models
        },
        versions={"polars": "2.1.0", "statsmodels": "0.15.0"},
        git_commit="0" * 40,
    )  # fmt: skip
    return with_findings(made)


def with_findings(inputs: ReportInputs) -> ReportInputs:
    """The study with what its tables say, as its job would find it."""
    schemas = {each.name: TABLES[each.name].schema for each in dataclasses.fields(Evidence)}
    evidence = Evidence(**{name: inputs[schema] for name, schema in schemas.items()})
    return inputs.with_tables({Findings: findings(evidence, inputs.config.analysis)})


def tables_by_schema(**tables: pl.DataFrame) -> dict[type[dy.Schema], pl.DataFrame]:
    """Checked tables, given by their keys."""
    schemas = {key: TABLES[key].schema for key in tables}
    return {schema: conform(tables[key], schema, where=key) for key, schema in schemas.items()}


def changed(
    inputs: ReportInputs, *, config: StudyConfig | None = None, **tables: pl.DataFrame | None
) -> ReportInputs:
    """The same study with other tables, given by their keys: frames, or none of that table.

    Its findings are those of the tables given.
    """
    found = {**inputs.tables, **{TABLES[key].schema: rows for key, rows in tables.items()}}
    return with_findings(
        dataclasses.replace(
            inputs,
            config=config or inputs.config,
            tables={schema: rows for schema, rows in found.items() if rows is not None},
        )
    )


def written(inputs: ReportInputs, folder: Path) -> dict[str, list[Path]]:
    """Files of the study's tables by key, as its jobs would have left them."""
    files: dict[str, list[Path]] = {}
    for key, spec in tables_of(inputs.config).items():
        for model in inputs.models if spec.per_model else [""]:
            rows, path = inputs[spec.schema], folder / spec.path(model)
            write_table(rows.filter(model=model) if spec.per_model else rows, spec.schema, path)
            files.setdefault(key, []).append(path)
    return files
