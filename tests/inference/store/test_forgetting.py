"""Stored responses that no study has used for long are named, and removed if that is asked."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

import polars as pl
import pytest

from refusal_parity.chunks import ChunkName, write_chunk
from refusal_parity.inference.store import forgetting
from refusal_parity.inference.store.claims import Claims
from refusal_parity.inference.store.forgetting import forget
from refusal_parity.inference.store.responses import STORE, ResponseStore
from refusal_parity.layout import LABEL_STORE, OPENING_STORE
from refusal_parity.openings.store import StepStore
from refusal_parity.tables import KnownLabels, StoredResponses, conform
from refusal_parity.uses import note_use

if TYPE_CHECKING:
    from pathlib import Path

SETTINGS: Final = {"engine": "vllm", "weights": {"weights_sha256": "ab12"}, "sampling": {"seed": 1}}


@pytest.fixture
def old(tmp_path: Path, rows: pl.DataFrame) -> Path:
    """A folder of responses that were drawn 30 days ago, in the store of `tmp_path`."""
    store = _saved(tmp_path, SETTINGS, rows)
    _age(store.folder, 30)
    return store.folder


def _saved(results: Path, settings: dict[str, Any], rows: pl.DataFrame) -> ResponseStore:
    store = ResponseStore(results / STORE, settings, device="cpu")
    store.save(conform(rows, StoredResponses, where="test"))
    store.close()
    return store


def _age(folder: Path, days: float) -> None:
    then = time.time() - days * 86_400
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (then, then))


def test_old_responses_are_named_and_stay(old: Path, tmp_path: Path) -> None:
    said: list[str] = []
    assert forget(tmp_path, 20, remove=False, say=said.append) == 6
    assert said[0].startswith(f"{old}: 6 responses of vllm ab12, sampling")
    assert said[0].endswith("not used for 30 days")
    assert said[1] == "6 rows would be removed (add --remove)"
    assert old.is_dir()


def test_old_responses_go_and_others_stay(
    old: Path, tmp_path: Path, rows: pl.DataFrame, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    fresh = _saved(tmp_path, SETTINGS | {"engine": "other"}, rows)
    monkeypatch.setattr("sys.argv", ["forget", str(tmp_path), "--days", "20", "--remove"])
    forgetting.main()
    assert capsys.readouterr().out.splitlines()[-1] == "6 rows removed"
    assert not old.exists()
    assert fresh.folder.is_dir()


@pytest.mark.parametrize("days", [31, 365])
def test_younger_ones_are_not_named(old: Path, tmp_path: Path, days: float) -> None:
    assert forget(tmp_path, days, remove=True, say=lambda _: None) == 0
    assert old.is_dir()


def test_a_table_made_of_them_is_a_use(old: Path, tmp_path: Path) -> None:
    ResponseStore(tmp_path / STORE, SETTINGS).note_use(tmp_path / "responses.parquet")
    _age(old, 30)
    (use,) = old.glob("uses/*")
    os.utime(use)
    assert forget(tmp_path, 20, remove=True, say=lambda _: None) == 0


def test_what_a_job_is_drawing_stays(old: Path, tmp_path: Path) -> None:
    with Claims(old / "claims", "another job") as claims:
        assert claims.take(["x"]) == {"x"}
        for path in (old, old / "claims"):
            os.utime(path, (time.time() - 30 * 86_400,) * 2)
        assert forget(tmp_path, 20, remove=True, say=lambda _: None) == 0
    assert old.is_dir()


def test_labels_of_a_classifier_that_nobody_uses_go_too(tmp_path: Path) -> None:
    folder = tmp_path / LABEL_STORE / "c1"
    row = dict.fromkeys(KnownLabels.column_names()) | {"text_id": "t", "label": "answer"}
    name = ChunkName("20260101T000000", "job", 1, "")
    write_chunk(pl.DataFrame([row]), KnownLabels, folder, name, {})
    note_use(folder, tmp_path / "labels.parquet")
    assert forget(tmp_path, 20, remove=True, say=lambda _: None) == 0
    _age(folder, 30)
    said: list[str] = []
    assert forget(tmp_path, 20, remove=True, say=said.append) == 1
    assert said[0] == f"{folder}: 1 label of classifier c1; not used for 30 days"
    assert not folder.exists()


def test_probabilities_of_tokens_are_forgotten_too(tmp_path: Path) -> None:
    """Those that a study measured anew with, or that a job asks now, stay."""
    said: list[str] = []
    store = StepStore(tmp_path / OPENING_STORE, SETTINGS)
    store.save([("a", 0.5, 0.5), ("b", 0.1, 0.0)])
    _age(store.folder, 30)
    assert forget(tmp_path, 20, remove=False, say=said.append) == 2
    assert said[0].startswith(f"{store.folder}: 2 next tokens of vllm ab12, sampling")
    store.note_use(tmp_path / "propensity.parquet")
    assert forget(tmp_path, 20, remove=True, say=said.append) == 0
    _age(store.folder, 30)
    with store.claims:
        store.claims.take(["c"])
        _age(store.folder, 30)
        other = StepStore(tmp_path / OPENING_STORE, SETTINGS)
        assert other.claims.others() == {"c"}
        assert forget(tmp_path, 20, remove=True, say=said.append) == 0
    _age(store.folder, 30)
    assert forget(tmp_path, 20, remove=True, say=said.append) == 2
    assert not store.folder.exists()
