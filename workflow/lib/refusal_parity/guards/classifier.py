"""A small classifier of harmful requests, each half of the templates judged by the other half."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED

import numpy as np
import polars as pl

from refusal_parity.errors import InputError
from refusal_parity.files import new_file
from refusal_parity.labelling.storage import load_trusted
from refusal_parity.placeholders import parted
from refusal_parity.prompts import read_names, read_templates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt
    from sklearn.pipeline import Pipeline

    from refusal_parity.config import ClassifierGuard

SOMEBODY: Final = "somebody"
"""In place of a name, where no names are given."""
HALVES: Final = 2
VERSION: Final = 2


@dataclass(frozen=True)
class GuardClassifier:
    """Two classifiers of requests, each trained on half of the templates.

    Attributes:
        halves: pipeline from texts to probabilities, trained without that half.
        half_of: half of each template that was learned from, by its text.
    """

    halves: tuple[Pipeline, Pipeline]
    half_of: dict[str, int]

    def p_harm(self, requests: Sequence[str], templates: Sequence[str]) -> npt.NDArray[np.float64]:
        """Probability that each request asks for harm.

        A request of a template that was learned from is judged by the classifier that never
        saw it; any other by both, whose mean counts.

        Args:
            requests: texts, R of them.
            templates: template of each.

        Returns:
            R probabilities.
        """
        if not requests:
            return np.zeros(0)
        both = np.stack([half.predict_proba(requests)[:, 1] for half in self.halves])
        half = np.array([self.half_of.get(template, -1) for template in templates])
        mean = both.mean(axis=0)
        return np.where(half < 0, mean, both[np.maximum(half, 0), np.arange(len(requests))])


@dataclass(frozen=True)
class _Learned:
    texts: list[str]
    harmful: list[int]
    half: list[int]
    half_of: dict[str, int]


def train_guard(
    guard: ClassifierGuard, *, harmful: Sequence[Path], harmless: Sequence[Path]
) -> GuardClassifier:
    """Train a guard on requests that are to be stopped and requests that are to pass.

    Matched sets, else templates, go to the halves in turn, so that no wording of a request
    is judged by a classifier that learned from another wording of it.

    Args:
        guard: its part of the config; the names that stand in its requests.
        harmful: CSVs of templates that are to be stopped.
        harmless: CSVs of templates that are to pass.

    Raises:
        InputError: a file cannot be used, or a half has requests of one kind alone.
    """
    learned = _learned(guard, harmful, harmless)
    half, target = np.array(learned.half), np.array(learned.harmful)
    fitted = []
    for left_out in range(HALVES):
        taught = half != left_out
        if len(set(target[taught].tolist())) < 2:  # noqa: PLR2004 - harmful and harmless
            raise InputError(
                "half of the templates hold no harmful or no harmless request",
                where=", ".join(map(str, [*harmful, *harmless])),
                remedy="Give at least two templates, or matched sets, of each kind.",
            )
        texts = [text for text, taken in zip(learned.texts, taught, strict=True) if taken]
        fitted.append(_fitted(texts, target[taught]))
    return GuardClassifier((fitted[0], fitted[1]), learned.half_of)


def save_guard(classifier: GuardClassifier, path: Path) -> None:
    """Write a guard as skops, which runs nothing when it is read.

    Raises:
        InputError: the folder cannot be written.
    """
    import skops.io  # noqa: PLC0415 - it imports all of scikit-learn

    content = {
        "version": VERSION,
        "halves": list(classifier.halves),
        "half_of": classifier.half_of,
    }
    with new_file(path) as temporary:
        skops.io.dump(content, temporary, compression=ZIP_DEFLATED)


def load_guard(path: Path) -> GuardClassifier:
    """Read a guard that `save_guard` wrote.

    Raises:
        InputError: the file is missing, damaged or no guard.
    """
    content: Any = load_trusted(path, what="guard", remedy="Delete it and run again.")
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise InputError(
            "not a guard of this version", where=str(path), remedy="Delete it and run again."
        )
    first, second = content["halves"]
    return GuardClassifier((first, second), dict(content["half_of"]))


def _fitted(texts: list[str], target: npt.NDArray[np.intp]) -> Pipeline:
    from sklearn.feature_extraction.text import TfidfVectorizer  # noqa: PLC0415
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415

    from refusal_parity.labelling.regression import SettledRegression  # noqa: PLC0415

    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, strip_accents="unicode")
    regression = SettledRegression(C=30.0, class_weight="balanced", max_iter=1000)
    regression.fit(words.fit_transform(texts), target)
    return make_pipeline(words, regression.plain())


def _learned(guard: ClassifierGuard, harmful: Sequence[Path], harmless: Sequence[Path]) -> _Learned:
    texts: list[str] = []
    target: list[int] = []
    half: list[int] = []
    half_of: dict[str, int] = {}
    names = read_names(Path(guard.names)) if guard.names else None
    for is_harmful, files in ((1, harmful), (0, harmless)):
        templates = pl.concat(map(read_templates, files), how="diagonal")
        groups = guard.harmful_groups if is_harmful else guard.harmless_groups
        known = names
        if names is not None and groups:
            known = names.filter(pl.col("group").is_in(groups))
        for template, at in _halves(templates).items():
            half_of[template] = at
            for text in _filled(template, known):
                texts.append(text)
                target.append(is_harmful)
                half.append(half_of[template])
    return _Learned(texts, target, half, half_of)


def _halves(templates: pl.DataFrame) -> dict[str, int]:
    """Half of each template: that of its matched set, where it has one; both about as large."""
    sets = ["set"] if "set" in templates.columns else []
    keys = templates.select(key=pl.coalesce(*sets, "template_id"))["key"].to_list()
    # By hash, not by the order of the file, in which forms and wordings take turns.
    mixed = sorted(set(keys), key=lambda key: sha256(key.encode()).hexdigest())
    half_of = {key: at % HALVES for at, key in enumerate(mixed)}
    return {
        template: half_of[key] for template, key in zip(templates["template"], keys, strict=True)
    }


def _filled(template: str, names: pl.DataFrame | None) -> Iterator[str]:
    """A template with each name, or with a word for anybody."""
    first, *rest = parted(template)
    rows: Iterable[dict[str, Any]] = [{}] if names is None else names.iter_rows(named=True)
    for row in rows:
        yield first + "".join(
            str(row.get(key.lower(), SOMEBODY)) + text
            for key, text in zip(rest[::2], rest[1::2], strict=True)
        )
