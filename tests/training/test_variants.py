"""Training of a tiny model: the same weights again, after a stop too, and no pickles."""

from __future__ import annotations

import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest
from lessons import chosen, write_pairs

from conftest import MISSING
from refusal_parity.config import PairsFile, VariantConfig
from refusal_parity.errors import InputError
from refusal_parity.inference.provenance import file_hash, weights_hash
from refusal_parity.inference.stopping import Stopped
from refusal_parity.tables import Lessons, Training, conform, write_table
from refusal_parity.training.job import TrainingJob
from refusal_parity.training.lessons import Account

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (make install)"
)

SEEN = 24
"""Pairs of the made-up data that the tests learn from."""


@pytest.fixture(scope="module")
def lessons(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Account]:
    file = PairsFile(path=str(root / "data/pairs/planted.jsonl.gz"), format="transcripts")
    rows, _ = chosen(root, {"p": file}, [])
    path = tmp_path_factory.mktemp("lessons") / "lessons.parquet"
    write_table(rows.head(SEEN), Lessons, path)
    account = Account()
    for _ in range(SEEN):
        account.enter("p", None)
    return path, account


def _trained(
    root: Path,
    folder: Path,
    lessons: tuple[Path, Account],
    say: Any = lambda _: None,
    base: Path | None = None,
    **given: Any,
) -> Path:
    from refusal_parity.training.variants import train_variant  # noqa: PLC0415

    variant = {"model": "base", "method": "sft", "data": ["p"], "batch": 4, "learning_rate": 1e-3}
    path, account = lessons
    train_variant(
        TrainingJob(
            key="v",
            variant=VariantConfig.model_validate(variant | given),
            base=base or root / "data/models/pairs-base",
            chat_template=None,
            lessons=path,
            checkpoints=folder / "checkpoints",
            threads=1,
        ),
        folder / "weights",
        Account.of(account.table("v")),
        say,
    )
    return folder / "weights"


@pytest.mark.parametrize(
    ("given", "files"),
    [
        ({}, {"adapter_config.json", "adapter_model.safetensors"}),
        ({"method": "dpo"}, {"adapter_config.json", "adapter_model.safetensors"}),
        (
            {"adapter": None, "learning_rate": 1e-4},
            {
                *("config.json", "generation_config.json", "model.safetensors"),
                *("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"),
            },
        ),
        ({"method": "dpo", "adapter": None}, None),
    ],
    ids=["sft, adapter", "dpo, adapter", "sft, all weights", "dpo, all weights"],
)
def test_a_variant_is_a_folder_without_pickles_that_says_what_made_it(
    root: Path,
    tmp_path: Path,
    lessons: tuple[Path, Account],
    given: dict[str, Any],
    files: set[str] | None,
) -> None:
    weights = _trained(root, tmp_path, lessons, **given)
    found = {path.name for path in weights.iterdir()}
    assert not [name for name in found if name.endswith((".bin", ".pt", ".pth", ".pkl"))]
    assert files is None or found == files | {"training.json"}
    said = json.loads((weights / "training.json").read_text("utf-8"))
    assert (
        said["config"]
        == VariantConfig.model_validate(
            {"model": "base", "method": "sft", "data": ["p"], "batch": 4, "learning_rate": 1e-3}
            | given
        ).taught()
    )
    assert said["base"]["weights_sha256"] == weights_hash(root / "data/models/pairs-base")
    assert said["lessons_sha256"] == file_hash(lessons[0])
    assert said["pairs"] == [{"data": "p", "reason": "learnt", "n": SEEN}]
    assert said["steps"] == SEEN / 4
    assert said["packages"].keys() >= {"torch", "trl", "peft", "transformers"}
    assert weights_hash(weights) != weights_hash(root / "data/models/pairs-base")
    assert not (tmp_path / "checkpoints").exists()


def test_the_same_settings_make_the_same_files_and_another_seed_makes_others(
    root: Path, tmp_path: Path, lessons: tuple[Path, Account]
) -> None:
    one, two, other = (
        _trained(root, tmp_path / str(at), lessons, seed=seed) for at, seed in enumerate((1, 1, 2))
    )
    for path in one.iterdir():
        assert path.read_bytes() == (two / path.name).read_bytes(), path.name
    assert weights_hash(one) != weights_hash(other)


@pytest.mark.parametrize("adapter", [{"dropout": 0.2}, None], ids=["adapter", "all weights"])
def test_a_stopped_training_goes_on_to_the_same_weights(
    root: Path, tmp_path: Path, lessons: tuple[Path, Account], adapter: dict[str, Any] | None
) -> None:
    from refusal_parity.training import variants  # noqa: PLC0415

    given = {"adapter": adapter, "epochs": 2.0}
    whole = _trained(root, tmp_path / "whole", lessons, **given)
    lines: list[str] = []

    class StopsItself(variants.StopAtStep):
        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> Any:
            if state.global_step == 7:
                os.kill(os.getpid(), signal.SIGTERM)
            return super().on_step_end(args, state, control, **more)

    folder = tmp_path / "stopped"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(variants, "StopAtStep", StopsItself)
        with pytest.raises(Stopped):
            _trained(root, folder, lessons, lines.append, **given)
    assert lines[-1] == "stopped by SIGTERM after step 7 of 12; run again to go on"
    assert not (folder / "weights").exists()
    left = {path.name for path in (folder / "checkpoints/checkpoint-7").iterdir()}
    assert not left & {"optimizer.pt", "scheduler.pt", "rng_state.pth"}
    again = _trained(root, folder, lessons, lines.append, **given)
    assert "going on from checkpoint-7" in lines
    assert weights_hash(again) == weights_hash(whole)


def test_what_was_stopped_under_other_settings_is_begun_anew(tmp_path: Path) -> None:
    from refusal_parity.training import checkpoints  # noqa: PLC0415

    folder = tmp_path / "checkpoints"
    checkpoints.keep_checkpoints_of(folder, {"seed": 1})
    stopped = folder / "checkpoint-3"
    stopped.mkdir()
    for name in ("trainer_state.json", "training_state.safetensors"):
        (stopped / name).touch()
    # Half-written: the trainer's own state comes last.
    (folder / "checkpoint-4").mkdir()
    (folder / "checkpoint-4/training_state.safetensors").touch()
    checkpoints.keep_checkpoints_of(folder, {"seed": 1})
    assert checkpoints.last_checkpoint(folder) == stopped
    checkpoints.keep_checkpoints_of(folder, {"seed": 2})
    assert checkpoints.last_checkpoint(folder) is None


def test_pairs_that_the_model_cannot_read_are_counted(root: Path, tmp_path: Path) -> None:
    pairs = [
        ("\n\nHuman: Hi.", "Yes.", "No."),
        (f"\n\nHuman: {'long ' * 40}", "Yes.", "No."),
        ("\n\nHuman: Hm?", "So.", f"{'wordy ' * 40}"),
    ]
    rows, account = chosen(root, {"p": write_pairs(tmp_path / "p.jsonl", pairs)}, [])
    conform(account.table("v"), Training, where="test")
    write_table(rows, Lessons, tmp_path / "l.parquet")
    for method, left, told in (("sft", 1, "2 pairs"), ("dpo", 2, "1 pair")):
        lines: list[str] = []
        said = (tmp_path / "l.parquet", account)
        weights = _trained(
            root, tmp_path / method, said, lines.append, method=method, max_tokens=100
        )
        assert f"{told} to learn from; left out: {left} (it is longer" in lines[0]
        counts = json.loads((weights / "training.json").read_text("utf-8"))["pairs"]
        assert [(row["reason"], row["n"]) for row in counts] == [
            ("learnt", 3 - left),
            ("too_long", left),
        ]
    with pytest.raises(InputError, match="no pair is left"):
        _trained(root, tmp_path / "none", said, max_tokens=3)


def test_a_folder_without_template_or_weights_is_refused(
    root: Path, tmp_path: Path, lessons: tuple[Path, Account]
) -> None:
    base = tmp_path / "base"
    base.mkdir()
    source = root / "data/models/pairs-base"
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        (base / name).write_bytes((source / name).read_bytes())
    with pytest.raises(InputError, match="there is no chat template"):
        _trained(root, tmp_path, lessons, base=base)
    (base / "chat_template.jinja").write_bytes((source / "chat_template.jinja").read_bytes())
    (base / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(InputError, match="pickled weights are not loaded"):
        _trained(root, tmp_path, lessons, base=base)


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        (["q_proj", "c_attn"], "adapter.modules names 'c_attn', which is no linear layer"),
        (["model.layers"], "adapter.modules names 'model.layers', which is no linear layer"),
        ([], "adapter.modules names no layer"),
    ],
    ids=["one is there", "no layer", "none named"],
)
def test_layers_that_the_model_does_not_have_are_refused(
    root: Path, tmp_path: Path, lessons: tuple[Path, Account], modules: list[str], said: str
) -> None:
    with pytest.raises(InputError, match=f"train.variants.v: {said}") as refused:
        _trained(root, tmp_path, lessons, adapter={"modules": modules})
    assert "q_proj, up_proj, v_proj; or write all-linear" in str(refused.value)


def test_a_training_that_went_astray_writes_no_weights(
    root: Path, tmp_path: Path, lessons: tuple[Path, Account]
) -> None:
    with pytest.raises(InputError, match=r"went astray: .* Lower learning_rate, which was 1e"):
        _trained(root, tmp_path, lessons, adapter=None, learning_rate=1e30)
    assert not (tmp_path / "weights").exists()
