from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

import pytest
import skops.io

from refusal_parity.errors import InputError
from refusal_parity.labelling import storage
from refusal_parity.labelling.classifier import VERSION

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from refusal_parity.labelling.classifier import Classifier


class Foreign:
    """A type that no classifier holds."""


def test_round_trip(tmp_path: Path, small_classifier: Classifier, starter: pl.DataFrame) -> None:
    path = tmp_path / "deep" / "classifier.skops"
    storage.save(small_classifier, path)
    loaded = storage.load(path)
    assert loaded.predict(starter).equals(small_classifier.predict(starter))
    for field in ("calibration", "settings", "seed", "classifier_id"):
        assert getattr(loaded, field) == getattr(small_classifier, field)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_unknown_type_is_refused(tmp_path: Path, small_classifier: Classifier) -> None:
    path = tmp_path / "classifier.skops"
    skops.io.dump({"version": 1, "seen_keys": small_classifier.seen.keys, "x": Foreign()}, path)
    with pytest.raises(InputError, match=r"no use for: .*Foreign"):
        storage.load(path)


def test_tampered_schema_is_refused(tmp_path: Path, small_classifier: Classifier) -> None:
    good, bad = tmp_path / "good.skops", tmp_path / "bad.skops"
    storage.save(small_classifier, good)
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(bad, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "schema.json":
                content, changed = re.subn(
                    rb'"ndarray",(\s*)"__module__": "numpy"',
                    rb'"Popen",\1"__module__": "subprocess"',
                    content,
                )
                assert changed
            target.writestr(name, content)
    with pytest.raises(InputError, match=r"subprocess\.Popen"):
        storage.load(bad)


@pytest.mark.parametrize("keep", [0, 100, 0.5, -10])
def test_damaged_file_is_refused(tmp_path: Path, small_classifier: Classifier, keep: float) -> None:
    path = tmp_path / "classifier.skops"
    storage.save(small_classifier, path)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content)) if isinstance(keep, float) else keep])
    with pytest.raises(InputError, match="not a readable classifier"):
        storage.load(path)


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2], {"models": "text"}])
def test_other_content_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "classifier.skops"
    skops.io.dump(content, path)
    with pytest.raises(InputError, match="not a classifier"):
        storage.load(path)


def test_other_version_is_refused(
    tmp_path: Path, small_classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "classifier.skops"
    storage.save(small_classifier, path)
    monkeypatch.setattr(storage, "VERSION", 99)
    with pytest.raises(InputError, match=f"version {VERSION} of the classifier, this is 99"):
        storage.load(path)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        storage.load(tmp_path / "none.skops")
