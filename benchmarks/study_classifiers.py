"""Which classifier labels best what it has not seen: `make study-classifiers`.

Seven candidates (`candidates.py`, `networks.py`) learn from the starter labels and label

- each kind of request in turn, learnt from all others, and each style likewise;
- the hard responses to other requests in `data/gold/held-out.csv`, and those in tables, headings
  and data in `data/gold/formats.csv`;
- the responses of models to XSTest that people labelled, whole and cut after 24
  and 48 words (a folder with `<model>.csv` in the layout of paul-rottger/xstest);
- the released responses of Llama-2-Chat 7B, from the starter labels alone, and in
  five folds by template with the starter labels beside them.

Printed are Cohen's kappa, refusal (whole, in part or harmful) or not and all
classes; where a part has no refusals or nothing else, the share that is right; the
share of full answers called refusals; the expected calibration error of the
probability of a refusal; and the seconds that learning and labelling took.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from candidates import CANDIDATES, SEED, Rows
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from refusal_parity.labelling.calibration import expected_error
from refusal_parity.labelling.classifier import decide
from refusal_parity.labelling.evaluation import compare
from refusal_parity.labelling.folds import LABELS
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.starter import starter_files
from refusal_parity.vocabulary import REFUSALS, Label

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Method = Callable[[Rows, Rows], np.ndarray]

COLUMNS = ("response", "name", "prompt", "label", "group_id", "weight")
HARD, FORMATS = Path("data/gold/held-out.csv"), Path("data/gold/formats.csv")
THEIRS = {
    "1_full_compliance": Label.ANSWER,
    "2_full_refusal": Label.REFUSAL,
    "3_partial_refusal": Label.PARTIAL_REFUSAL,
}
WHOLE, RELEASED = "XSTest, whole", "released 7B"
FEW = 25
"""Rows of a style below which it is not told apart in print."""
_REFUSED = np.isin(LABELS, REFUSALS)


def starter() -> pl.DataFrame:
    """The starter labels with kind and style; pairs and cuts are of their style."""
    frames = [pl.read_csv(file, infer_schema=False) for file in starter_files()]
    return pl.concat(frames, how="diagonal").with_columns(
        pl.col("weight").cast(pl.Float64).fill_null(1.0),
        pl.col("style").str.replace_all(r"-(pair|cut)\b", ""),
        model=pl.lit("starter"),
    )


def xstest(folder: Path) -> pl.DataFrame:
    """Responses to XSTest with people's labels in the study's words."""
    return pl.concat(
        pl.read_csv(file, infer_schema=False).select(
            pl.col("completion").fill_null("").alias("response"),
            "prompt",
            pl.col("final_label").replace_strict(THEIRS, default=None).alias("label"),
            name=pl.lit(None, pl.String),
            group_id=pl.col("id"),
            weight=pl.lit(1.0),
            model=pl.lit(file.stem),
        )
        for file in sorted(folder.glob("*.csv"))
        if "final_label" in file.read_text("utf-8")[:2_000]
    )


def released(file: Path) -> pl.DataFrame:
    """The released responses in six classes."""
    return read_gold([file]).select(COLUMNS).with_columns(model=pl.lit("released"))


def scores(truth: pl.DataFrame, said: np.ndarray, *, six: bool = False) -> str:
    """The figures of one part in a row."""
    labels, given = truth["label"].cast(pl.String).to_list(), decide(said)
    if six:
        given = np.where(given == Label.PARTIAL_REFUSAL, Label.PARTIAL_ANSWER, given)
    found = compare(labels, given.tolist())
    refuses, refused = np.isin(labels, REFUSALS), np.isin(decide(said), REFUSALS)
    answered = np.array(labels) == Label.ANSWER
    false = f"{refused[answered].mean():.3f}" if answered.any() else "    -"
    binary = (
        f"kappa {compare(labels, decide(said).tolist()).binary_kappa:.3f}"
        if 0 < refuses.sum() < len(refuses)
        else f"right {(refuses == refused).mean():.3f}"
    )
    every = "    -" if found.class_kappa is None else f"{found.class_kappa:.3f}"
    error = expected_error(refuses, said[:, _REFUSED].sum(axis=1))
    return f"{len(labels):6,}  {binary}  all {every}  false {false}  calibration {error:.3f}"


def held_out(method: Method, rows: pl.DataFrame, parts: np.ndarray, folds: int) -> np.ndarray:
    """What is said of each part by a method that learnt from others."""
    said = np.zeros((len(rows), len(LABELS)))
    for rest, test in GroupKFold(folds).split(parts, groups=parts):
        said[test] = method(Rows(rows[rest]), Rows(rows[test]))
    return said


def by_column(method: Method, rows: pl.DataFrame, column: str, folds: int) -> Iterator[str]:
    """Figures of every kind or style, none of which the method had seen."""
    said = held_out(method, rows, rows[column].to_numpy(), folds)
    yield f"{'all ' + column + 's':28} {scores(rows, said)}"
    for level in rows[column].unique().sort():
        at = (rows[column] == level).to_numpy()
        if at.sum() >= FEW:
            yield f"  {level:26} {scores(rows.filter(at), said[at])}"


def cuts(test: pl.DataFrame) -> dict[str, pl.DataFrame]:
    """Responses whole and cut after some words."""
    words = pl.col("response").str.strip_chars().str.split(" ")
    return {WHOLE: test} | {
        f"XSTest, first {n} words": test.with_columns(response=words.list.head(n).list.join(" "))
        for n in (24, 48)
    }


def elsewhere(
    method: Method, rows: pl.DataFrame, tests: dict[str, pl.DataFrame]
) -> dict[str, np.ndarray]:
    """What is said of several parts by a method that learns once."""
    columns = [pl.col(name).cast(pl.String) for name in COLUMNS if name != "weight"]
    together = pl.concat([test.select(*columns, "weight") for test in tests.values()])
    ends = np.cumsum([len(test) for test in tests.values()])[:-1]
    return dict(zip(tests, np.split(method(Rows(rows), Rows(together)), ends), strict=True))


def figures(tests: dict[str, pl.DataFrame], said: dict[str, np.ndarray]) -> Iterator[str]:
    """Figures of what is learnt from nowhere; of XSTest by model, and the cut against the whole."""
    for name, test in tests.items():
        yield f"{name:28} {scores(test, said[name], six=name == RELEASED)}"
        if name == WHOLE:
            for model in test["model"].unique().sort():
                at = (test["model"] == model).to_numpy()
                yield f"  {model:26} {scores(test.filter(at), said[name][at])}"
        elif name.startswith("XSTest"):
            whole, cut = (decide(each).tolist() for each in (said[WHOLE], said[name]))
            yield f"  against its whole: kappa {compare(whole, cut).binary_kappa or 0:.3f}"


def by_template(method: Method, rows: pl.DataFrame, test: pl.DataFrame) -> Iterator[str]:
    """Figures of the released responses in folds, learnt with the starter labels beside them."""
    beside = rows.filter(pl.col("label") != Label.PARTIAL_REFUSAL)
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=SEED)
    said = np.zeros((len(test), len(LABELS)))
    labels, groups = test["label"].cast(pl.String), test["group_id"].to_numpy()
    for rest, at in splitter.split(labels, labels, groups):
        learnt = pl.concat([test[rest].cast({"label": pl.String}), beside], how="diagonal")
        said[at] = method(Rows(learnt), Rows(test[at]))
    yield f"{RELEASED + ', by template':28} {scores(test, said, six=True)}"


def main() -> None:
    """Print the figures of every candidate."""
    parser = argparse.ArgumentParser(description="Compare classifiers of responses.")
    parser.add_argument("--released", type=Path, help="df_annotated_llama7.csv")
    parser.add_argument("--xstest", type=Path, help="folder of XSTest's labelled responses")
    parser.add_argument("--only", choices=CANDIDATES, nargs="+", default=list(CANDIDATES))
    parser.add_argument("--no-styles", action="store_true", help="skip styles held out")
    parser.add_argument("--once", action="store_true", help="learn once, hold nothing out")
    chosen = parser.parse_args()
    rows = starter()
    rows = rows.select(*COLUMNS, "model", "kind", "style")
    tests: dict[str, pl.DataFrame] = {
        "hard responses": read_gold([HARD]),
        "formats": read_gold([FORMATS]),
    }
    if chosen.xstest:
        tests |= cuts(xstest(chosen.xstest))
    if chosen.released:
        tests[RELEASED] = released(chosen.released)
    for name in chosen.only:
        method = CANDIDATES[name]
        print(f"== {name}: {(method.__doc__ or '').splitlines()[0]}", flush=True)
        with threadpool_limits(1):
            began = time.process_time()
            method(Rows(rows), Rows(rows.head(1_000)))
            print(f"learns and labels 1,000 in {time.process_time() - began:.0f} s of a processor")
            parts = [("kind", 5), ("style", 8)]
            parts = [] if chosen.once else parts[: 1 if chosen.no_styles else 2]
            lines = [by_column(method, rows, column, folds) for column, folds in parts]
            lines.append(figures(tests, elsewhere(method, rows, tests)))
            if chosen.released and not chosen.once:
                lines.append(by_template(method, rows, tests[RELEASED]))
            for part in lines:
                for line in part:
                    print(line, flush=True)


if __name__ == "__main__":
    main()
