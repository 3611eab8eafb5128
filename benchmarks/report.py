"""The report of 5 models x 5,376 responses, from tables on disk to the last file.

Prints wall and CPU seconds and peak memory of a process that does this alone,
imports included, the sizes of what it wrote, and the seconds of a fixed piece
of arithmetic in the same run: how busy the machine was.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import tempfile
import time
from dataclasses import fields
from pathlib import Path

import numpy as np
import polars as pl

from refusal_parity.config import StudyConfig, load_config
from refusal_parity.expansion import expand
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.report.writing import ReportFiles, read_inputs, write_all
from refusal_parity.statistics.answering.table import Evidence, findings
from refusal_parity.statistics.comparison import compare
from refusal_parity.statistics.designs.observations import observe
from refusal_parity.statistics.disparity import disparities
from refusal_parity.statistics.influence import influences
from refusal_parity.statistics.lengths import lengths
from refusal_parity.statistics.losses.exclusions import exclusions
from refusal_parity.statistics.losses.shares import bounds, losses
from refusal_parity.statistics.overview import overview
from refusal_parity.statistics.rates import rates
from refusal_parity.tables import (
    TABLES,
    Labels,
    Prompts,
    Responses,
    SelfCheck,
    empty,
    filled,
    write_table,
)

ROOT = Path(__file__).parents[1]
TEXT = (
    "I cannot complete this sentence because it would not be respectful to make assumptions "
    "about a person whom the name alone describes; here is a suggestion instead: the market, "
    "a friend, music, work, school, an afternoon at the lake with the family and a picnic"
)


def main() -> None:
    """Make a study, write its report in a process of its own, and print what that took."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--models", type=int, default=5)
    arguments.add_argument("--words", type=int, default=150, help="words of a response, at most")
    arguments.add_argument("--keep", type=Path, help="write here instead of a temporary folder")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.keep or Path(temporary)
        config = _config([f"model-{number}" for number in range(1, given.models + 1)])
        rows = _make_study(config, folder, given.words)
        began = time.perf_counter()
        child = multiprocessing.get_context("spawn").Process(target=_write, args=(config, folder))
        child.start()
        child.join()
        wall = time.perf_counter() - began
        if child.exitcode:
            raise SystemExit(child.exitcode)
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        sizes = {
            name: (folder / name).stat().st_size / 1e6
            for name in ("report.html", "tables/responses.csv", "tables/responses.parquet")
        }
    print(f"responses      {rows:>10,}")
    print(f"wall           {wall:>10.1f} s   (to reach: 60 s)")
    print(f"CPU            {used.ru_utime + used.ru_stime:>10.1f} s")
    print(f"peak memory    {used.ru_maxrss / 1e6:>10.2f} GB  (to reach: 2 GB)")
    for name, size in sizes.items():
        print(f"{name:<26}{size:>8.1f} MB")
    print(f"sorting ten million numbers: {_yardstick():.2f} s")


def _config(models: list[str]) -> StudyConfig:
    source = {"source": {"path": "data/models/demo-even"}, "prompt_mode": "chat"}
    study = {
        "study": "benchmark",
        "prompts": {"templates": "data/templates.csv", "names": "data/names-56.csv"},
        "models": {model: {"engine": "vllm", **source} for model in models},
        "analysis": {
            "dimensions": {
                "group": {"reference": "white"},
                "gender": {"reference": "man"},
                "commonness": {"reference": "common"},
            },
            # The report's time does not hang on how often the tests draw.
            "permutations": 999,
            "bootstraps": 999,
        },
    }
    return load_config(study, where="benchmark")


def _make_study(config: StudyConfig, folder: Path, words: int) -> int:
    """Write every table that the report reads; returns the number of responses."""
    prompts = expand(
        read_templates(ROOT / str(config.prompts.templates)),
        read_names(ROOT / str(config.prompts.names), group_column="group"),
        config.prompts.arms,
    )
    write_table(prompts, Prompts, folder / "prompts.parquet")
    evidence = [each.name for each in fields(Evidence) if each.name != "selfcheck"]
    found: dict[str, list[pl.DataFrame]] = {key: [] for key in ("labels", *evidence)}
    for number, model in enumerate(config.models):
        responses, labels = _draw(prompts, model, config.samples, words, seed=number)
        seen = observe(prompts, labels, config.analysis, responses)
        made = {
            "responses": responses,
            "labels": labels,
            "rates": rates(seen, config.analysis),
            "lengths": lengths(seen, config.analysis),
            "exclusions": exclusions(seen, config.analysis),
            "losses": losses(seen, config.analysis),
            "bounds": bounds(seen, config.analysis),
            "disparity": disparities(seen, config.analysis),
            "influence": influences(seen, config.analysis),
        }
        for key, frame in made.items():
            path = folder / "models" / model / f"{key}.parquet"
            write_table(frame, TABLES[key].schema, path)
        for key, frames in found.items():
            frames.append(made[key])
    seen = observe(prompts, pl.concat(found["labels"]), config.analysis)
    given = {key: pl.concat(found[key]) for key in evidence} | {"selfcheck": empty(SelfCheck)}
    of_study = {
        "findings": findings(Evidence(**given), config.analysis),
        "overview": overview(found["rates"], found["disparity"]),
        "comparison": compare(seen, config.analysis, list(config.models)),
    }
    for key, frame in of_study.items():
        write_table(frame, TABLES[key].schema, folder / f"{key}.parquet")
    return len(prompts) * config.samples * len(config.models)


def _draw(
    prompts: pl.DataFrame, model: str, samples: int, words: int, *, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(seed)
    rows = prompts.select("prompt_id").join(
        pl.DataFrame({"sample": range(samples)}, schema={"sample": pl.Int32}), how="cross"
    )
    texts = [
        " ".join(rng.choice(TEXT.split(), size=length))
        for length in rng.integers(5, words, len(rows))
    ]
    label = rng.choice(["answer", "refusal", "harmful_refusal", "failure"], len(rows))
    responses = rows.with_columns(
        model=pl.lit(model),
        response=pl.Series(texts),
        status=pl.lit("ok"),
        truncated=pl.lit(value=False),
    )
    labels = rows.with_columns(
        model=pl.lit(model),
        label=pl.Series(label),
        machine_label=pl.Series(label),
        label_source=pl.lit("classifier"),
        truncated=pl.lit(value=False),
        filtered=pl.lit(value=False),
        keyword_refusal=is_refusal_by_keyword(pl.Series(texts)),
        p_answer=pl.Series(rng.random(len(rows))),
    )
    return filled(responses, Responses, where="made"), filled(labels, Labels, where="made")


def _write(config: StudyConfig, folder: Path) -> None:
    files = {
        key: [folder / spec.path(model) for model in (config.models if spec.per_model else [""])]
        for key, spec in TABLES.items()
    }
    # The study has no judge, no people and no cluster, and leaves out what is optional.
    files = {key: paths for key, paths in files.items() if paths[0].exists()}
    write_all(
        read_inputs(config, files),
        ReportFiles(
            report=folder / "report.html",
            figures=folder / "figures",
            tables=folder / "tables",
            summary=folder / "summary.txt",
        ),
    )


def _yardstick() -> float:
    numbers = np.random.default_rng(1).random(10_000_000)
    began = time.perf_counter()
    np.sort(numbers)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
