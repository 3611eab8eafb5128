from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.errors import InputError
from refusal_parity.inference import checks
from refusal_parity.inference.checks import (
    adapter_rank,
    check_head_size,
    own_chat_template,
    read_chat_template,
    read_model_config,
    readable,
)

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


LORA = '{"peft_type": "LORA", "r": 8}'


@pytest.mark.parametrize(
    ("config", "complaint"),
    [
        (None, "no adapter there"),
        ("{", "cannot be read"),
        ('{"peft_type": "LORA"}', "cannot be read .KeyError: 'r'"),
        ('{"peft_type": "IA3", "r": 8}', "an adapter of type IA3, not LORA"),
    ],
)
def test_folders_without_an_adapter(tmp_path: Path, config: str | None, complaint: str) -> None:
    (tmp_path / "adapter_model.safetensors").touch()
    (tmp_path / "adapter_config.json").write_text(LORA)
    assert adapter_rank(tmp_path) == 8
    if config is None:
        (tmp_path / "adapter_model.safetensors").unlink()
    else:
        (tmp_path / "adapter_config.json").write_text(config)
    with pytest.raises(InputError, match=complaint):
        adapter_rank(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, "No such file"),
        ("{% for m in %}", "Expected an expression"),
        (" ", "the chat template is empty"),
    ],
)
def test_chat_templates_that_are_none(tmp_path: Path, text: str | None, complaint: str) -> None:
    path = tmp_path / "template.jinja"
    if text is not None:
        path.write_text(text)
    with pytest.raises(InputError, match=complaint):
        read_chat_template(path)


def test_a_chat_template_that_computes_while_it_is_read_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is constant in a template is computed before it renders anything."""
    monkeypatch.setattr(checks, "TEMPLATE_S", 0.5)
    (tmp_path / "template.jinja").write_text("{{ 7 ** (7**12) }}{{ messages[0].content }}")
    with pytest.raises(InputError, match=r"took more than 0\.5 s or 500 MB"):
        read_chat_template(tmp_path / "template.jinja")


@pytest.mark.parametrize(
    "text",
    [
        "{% for m in messages %}{% generation %}{{ m.content }}{% endgeneration %}{% endfor %}",
        "{% for m in messages %}{% if loop.index > 2 %}{% break %}{% endif %}{% endfor %}",
        "{{ strftime_now('%Y') }}{{ messages | tojson(indent=1) }}",
    ],
)
def test_chat_templates_that_transformers_renders(tmp_path: Path, text: str) -> None:
    (tmp_path / "template.jinja").write_text(text)
    assert read_chat_template(tmp_path / "template.jinja") == text


def test_of_several_chat_templates_the_default(tmp_path: Path) -> None:
    assert own_chat_template({"tool_use": "x", "default": "y"}, tmp_path) == "y"
    assert own_chat_template("y", tmp_path) == "y"
    assert own_chat_template(None, tmp_path) is None
    with pytest.raises(InputError, match=r"several chat templates \(rag, tool_use\)"):
        own_chat_template({"tool_use": "x", "rag": "y"}, tmp_path)


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
    "int8_scaled_mm_with_quant: expect A to be bfloat16 or half.": "Set the model's dtype to bf",
    "\"moe_kernel\" not implemented for 'Float'": "Set the model's dtype to bfloat16",
    "Failed to find a kernel that can implement the ScaledMM linear layer.": "has no kernel for",
    "No Int8 MoE backend supports the deployment configuration (weight_key=": "no kernel for these",
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
