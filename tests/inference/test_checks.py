from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.errors import InputError
from refusal_parity.inference.checks import check_head_size, read_model_config, readable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def model(root: Path, tmp_path: Path) -> Path:
    return shutil.copytree(root / "data/models/demo-even", tmp_path / "model")


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda model: (model / "config.json").unlink(), "no model there"),
        (lambda model: (model / "config.json").write_text("{"), "cannot be read"),
        (lambda model: (model / "config.json").write_text("[]"), "not a model's config"),
        (lambda model: (model / "model.safetensors").unlink(), "no weights there"),
    ],
)
def test_folders_without_a_model(model: Path, spoil: Callable[[Path], Any], complaint: str) -> None:
    spoil(model)
    with pytest.raises(InputError, match=complaint):
        read_model_config(model)


@pytest.mark.parametrize(
    ("change", "size"), [({"head_dim": 24}, 24), ({"head_dim": None, "hidden_size": 64}, 16)]
)
def test_unsupported_head_size(model: Path, change: dict[str, Any], size: int) -> None:
    config = read_model_config(model)
    check_head_size(config, model, [32, 64])
    with pytest.raises(InputError, match=f"attention heads of size {size}, .* of size 32, 64"):
        check_head_size(config | change, model, [32, 64])


# The engine's own words, from its source.
WORDS = {
    "User-specified max_model_len (9999) is greater than the derived max_model_len "
    "(max_position_embeddings=256.0 or model_max_length=None in model's config.json).": (
        "max_model_len is 9999 and the model's own context is 256 tokens"
    ),
    "To serve at least one request with the model's max seq len (131072), (16.0 GiB KV cache is "
    "needed, which is larger than the available KV cache memory (1.0 GiB). Based on the available "
    "memory, the estimated maximum model length is 8192. Try": "Set max_model_len to at most 8192",
    "No available memory for the cache blocks. Try increasing": "out of memory",
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has": "out of memory (CUDA out of",
    "Engine core initialization failed. See root cause above.": "further up in this job's log",
}


@pytest.mark.parametrize("words", WORDS)
def test_engine_words_that_a_user_can_act_on(words: str, tmp_path: Path) -> None:
    found = readable(ValueError(words), tmp_path)
    assert found is not None
    assert WORDS[words] in str(found)


def test_other_errors_stay_as_they_are(tmp_path: Path) -> None:
    assert readable(ValueError("a fault of ours"), tmp_path) is None
    assert "out of memory" in str(readable(MemoryError(), tmp_path))
