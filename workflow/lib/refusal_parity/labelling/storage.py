"""A classifier as a file: skops, never pickle, and only types that are listed here."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any, Final
from zipfile import ZIP_DEFLATED, BadZipFile

from refusal_parity.errors import InputError
from refusal_parity.files import new_file
from refusal_parity.labelling.calibration import Calibration
from refusal_parity.labelling.classifier import VERSION, Classifier
from refusal_parity.labelling.familiar import Familiar
from refusal_parity.labelling.features import Model, Said, Settings
from refusal_parity.labelling.ngrams import Runs
from refusal_parity.labelling.seen import Seen
from refusal_parity.labelling.wording import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def _unseen(module: str) -> Iterator[None]:
    """Let imports find no such module, unless it is there already."""
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]


# To list its estimators, skops imports all of scikit-learn, and so torch where there is one:
# most of the time that a job of a few thousand labels takes.
with _unseen("torch"):
    import skops.io

TRUSTED: Final[frozenset[str]] = frozenset()
"""Types beyond those that skops itself trusts.

A classifier is arrays of numbers and texts and needs none; a file with any is not ours.
"""

_TRAIN_ANEW = "Delete it and train the classifier anew."


def save(classifier: Classifier, path: Path) -> None:
    """Write a classifier: under a temporary name, then renamed.

    Raises:
        InputError: the folder cannot be written.
    """
    content = {
        "version": VERSION,
        "classifier_id": classifier.classifier_id,
        "seed": classifier.seed,
        "calibration": asdict(classifier.calibration),
        "settings": classifier.settings.to_dict(),
        "common": sorted(classifier.reader.common),
        "familiar": asdict(classifier.familiar),
        "seen_keys": classifier.seen.keys,
        "seen": _arrays(classifier.seen.said),
        "models": [_plain(model) for model in classifier.models],
    }
    with new_file(path) as temporary:
        skops.io.dump(content, temporary, compression=ZIP_DEFLATED)


def load(path: Path) -> Classifier:
    """Read a classifier that `save` wrote.

    Raises:
        InputError: the file is missing or damaged, holds a type that is not
            trusted, or was made by another version.
    """
    return _checked(load_trusted(path, what="classifier", remedy=_TRAIN_ANEW), path)


def load_trusted(path: Path, *, what: str, remedy: str) -> Any:
    """What a skops file holds, if that is nothing but types that skops itself trusts.

    Args:
        path: the file.
        what: it holds, for error texts.
        remedy: what to do about a file that cannot be used.

    Raises:
        InputError: the file is missing or damaged, or holds a type that is not trusted.
    """
    try:
        _refuse_foreign_types(path, what)
        return skops.io.load(path, trusted=sorted(TRUSTED))
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), remedy=f"Run the rule that trains the {what}."
        ) from error
    # skops documents no errors of its own; whatever a damaged archive sets off ends here.
    except (BadZipFile, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"not a readable {what} ({error})", where=str(path), remedy=remedy
        ) from error


def _refuse_foreign_types(path: Path, what: str) -> None:
    foreign = sorted(set(skops.io.get_untrusted_types(file=path)) - TRUSTED)
    if foreign:
        raise InputError(
            f"holds types that a {what} has no use for: {', '.join(foreign)}",
            where=str(path),
            remedy=f"Do not load it: it may run code. Train the {what} anew.",
        )


def _arrays(said: Said) -> dict[str, Any]:
    return {field.name: getattr(said, field.name) for field in fields(said)}


def _plain(model: Model) -> dict[str, Any]:
    return {
        "keys": list(model.runs.keys),
        "frequencies": list(model.runs.weights),
        "classes": list(model.classes),
        "refusal": model.refusal,
        "bias": model.bias,
        "weights": model.weights,
        "intercepts": model.intercepts,
        "centres": model.centres,
    }


def _model(plain: dict[str, Any], settings: Settings) -> Model:
    return Model(
        runs=Runs(settings.zones, tuple(plain["keys"]), tuple(plain["frequencies"])),
        classes=tuple(plain["classes"]),
        refusal=plain["refusal"],
        bias=float(plain["bias"]),
        weights=plain["weights"],
        intercepts=plain["intercepts"],
        centres=plain["centres"],
    )


def _checked(content: Any, path: Path) -> Classifier:
    if not isinstance(content, dict) or "version" not in content:
        raise InputError("not a classifier of this workflow", where=str(path), remedy=_TRAIN_ANEW)
    if content["version"] != VERSION:
        raise InputError(
            f"made by version {content['version']} of the classifier, this is {VERSION}",
            where=str(path),
            remedy=_TRAIN_ANEW,
        )
    settings = Settings.from_dict(content["settings"])
    return Classifier(
        reader=Reader(frozenset(content["common"])),
        models=tuple(_model(each, settings) for each in content["models"]),
        calibration=Calibration(**content["calibration"]),
        familiar=Familiar(**content["familiar"]),
        seen=Seen(content["seen_keys"], Said(**content["seen"])),
        settings=settings,
        seed=int(content["seed"]),
        classifier_id=str(content["classifier_id"]),
    )
