"""A model's weights and probabilities, against scikit-learn on dense arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from refusal_parity.labelling.features import Model, Settings, fit
from refusal_parity.labelling.lesson import Lesson
from refusal_parity.labelling.zones import Zone
from refusal_parity.vocabulary import REFUSALS

LABELS = ("answer", "failure", "refusal", "harmful_refusal", "partial_refusal")
SETTINGS = replace(Settings(), zones=(Zone(30, 2), Zone(4, 1)))


def lesson_of(labels: tuple[str, ...], number: int = 14) -> Lesson:
    """Random texts, in which each label prefers words of its own; some count twice."""
    random = np.random.default_rng(len(labels))
    words = np.array([f"{first}{second}" for first in "bdfgk" for second in "aeio"])
    rows = []
    for at, label in enumerate(labels):
        odds = np.where(np.arange(len(words)) // 4 == at, 4.0, 1.0)
        for each in range(number):
            said = random.choice(words, random.integers(4, 12), p=odds / odds.sum())
            weight = float(random.choice([1.0, 2.0]))
            rows.append(
                {
                    "response": " ".join(said), "label": label, "group_id": f"{label}{each}",
                    "name": None, "prompt": None, "weight": weight,
                }
            )  # fmt: skip
    schema = {"name": pl.String, "prompt": pl.String}
    return Lesson.of(pl.DataFrame(rows, schema_overrides=schema), SETTINGS)


def telling(model: Model, features: np.ndarray, refuses: np.ndarray) -> np.ndarray:
    """Wang and Manning's log-count ratios: of each the root, over the median text's length."""
    has = features != 0
    shares = [(1 + has[side].sum(axis=0)) / (1 + side.sum()) for side in (refuses, ~refuses)]
    found = np.sqrt(np.abs(np.log(shares[0]) - np.log(shares[1])))
    start = 0
    for keys in model.runs.keys:
        zone = slice(start, start + len(keys))
        lengths = np.linalg.norm(features[:, zone] * found[zone], axis=1)
        found[zone] = found[zone] / np.median(lengths[lengths > 0])
        start += len(keys)
    assert start == features.shape[1]
    return found


def of_kinds(features: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=2.5, tol=1e-9, max_iter=5_000).fit(features, labels)


@pytest.mark.parametrize("number", [14, 6], ids=["many rows", "few rows"])
def test_weights_are_those_of_two_logistic_regressions(number: int) -> None:
    """Refusal or not by weighed rows; which kind by rows that count alike, and frequent runs."""
    lesson = lesson_of(LABELS, number)
    model = fit(SETTINGS, 1, lesson.examples)
    labels = lesson.examples.labels
    refuses = np.isin(labels, REFUSALS)
    features = model.runs.weigh(lesson.examples.found).toarray().astype(np.float64)
    weight = telling(model, features, refuses)
    decided = LogisticRegression(C=30.0, tol=1e-9, max_iter=5_000).fit(
        features * weight, refuses, sample_weight=lesson.examples.weights
    )
    assert model.bias == pytest.approx(decided.intercept_[0], abs=1e-3)
    assert model.refusal == pytest.approx(decided.coef_[0] * weight, abs=2e-3)
    assert model.classes == tuple(sorted(LABELS))
    for side in (refuses, ~refuses):
        # Runs of fewer than three texts are left out where there are thirty texts.
        least = 3 if side.sum() >= 30 else 1
        met = (features[side] != 0).sum(axis=0) >= least
        assert not met.all()
        kinds = of_kinds(features[side][:, met], labels[side])
        columns = [model.classes.index(each) for each in kinds.classes_]
        weights, intercepts = model.weights[:, columns], model.intercepts[columns]
        assert not weights[~met].any()
        # Of two classes the differences alone are known.
        if len(columns) == 2:
            expected, start = kinds.coef_[0], kinds.intercept_[0]
            assert weights[met, 1] - weights[met, 0] == pytest.approx(expected, abs=2e-3)
            assert intercepts[1] - intercepts[0] == pytest.approx(start, abs=2e-3)
        else:
            assert pytest.approx(kinds.coef_, abs=2e-3) == weights[met].T
            assert pytest.approx(kinds.intercept_, abs=2e-3) == intercepts


def test_a_zone_that_tells_nothing_decides_nothing() -> None:
    """All begin alike: what stands behind still parts refusals from answers."""
    rows = [
        {"response": f"well {word}", "label": label, "group_id": f"{word}{at}", "weight": 1.0}
        for label, word in (("refusal", "no"), ("answer", "yes"))
        for at in range(4)
    ]
    schema = {"name": pl.String, "prompt": pl.String}
    frame = pl.DataFrame(rows).with_columns(
        pl.lit(None, kind).alias(key) for key, kind in schema.items()
    )
    settings = replace(SETTINGS, zones=(Zone(30, 1), Zone(1, 1)))
    model = fit(settings, 1, Lesson.of(frame, settings).examples)
    parts = np.split(model.refusal, [len(model.runs.keys[0])])
    assert np.isfinite(model.refusal).all()
    assert parts[0].any()
    assert not parts[1].any()


def test_probabilities_are_of_refusal_and_then_of_kinds() -> None:
    lesson = lesson_of(LABELS)
    model = fit(SETTINGS, 1, lesson.examples)
    asked = [*map(str, lesson.texts[:5]), "ba ba di unknown", "quite unknown words", ""]
    features = model.runs.count(asked).features.toarray()
    refusal = 1 / (1 + np.exp(-(features @ model.refusal.astype(np.float64) + model.bias)))
    scores = np.exp(features @ model.weights.astype(np.float64) + model.intercepts)
    is_refusal = np.isin(model.classes, REFUSALS)
    for side, share in ((is_refusal, refusal), (~is_refusal, 1 - refusal)):
        scores[:, side] *= (share / scores[:, side].sum(axis=1))[:, None]
    found = model.say(asked).probabilities
    assert found == pytest.approx(scores, abs=1e-6)
    assert found.sum(axis=1) == pytest.approx(np.ones(len(asked)))


@pytest.mark.parametrize(
    ("labels", "refusal"), [(("answer", "failure"), 0.0), (("refusal", "harmful_refusal"), 1.0)]
)
def test_what_was_never_learnt_has_no_probability(labels: tuple[str, ...], refusal: float) -> None:
    lesson = lesson_of(labels)
    model = fit(SETTINGS, 1, lesson.examples)
    assert model.bias == (np.inf if refusal else -np.inf)
    found = model.say(["ba be bi", "di du"]).probabilities
    assert model.classes == tuple(sorted(labels))
    assert found.sum(axis=1) == pytest.approx(np.ones(2))
    assert (found > 0).all()


def test_one_refusal_among_one_kind_of_others_has_no_kinds_to_tell() -> None:
    model = fit(SETTINGS, 1, lesson_of(("answer", "refusal")).examples)
    assert not model.weights.any()
    assert model.intercepts.tolist() == [0, 0]


def test_settings_come_back_as_they_were_stored() -> None:
    assert Settings.from_dict(SETTINGS.to_dict()) == SETTINGS
    assert SETTINGS.to_dict()["zones"][0] == {"words": 30, "longest": 2, "starts": False}
