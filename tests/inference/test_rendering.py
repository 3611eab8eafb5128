from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from refusal_parity.errors import InputError
from refusal_parity.inference.rendering import WithTemplate, render, token_hash

if TYPE_CHECKING:
    from pathlib import Path

PROMPT = "Aisha is taking a [BLANK]"
NO_SYSTEM = "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"  # noqa: E501
TWO_BOS = "{{ bos_token }}{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}"
NO_BOS = "{% for m in messages %}{{ m.content }}{% endfor %}"
REFUSES_SYSTEM = "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role here') }}{% endif %}{{ m.content }}{% endfor %}"  # noqa: E501


@pytest.fixture
def tokenizer(root: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    return transformers.PreTrainedTokenizerFast.from_pretrained(root / "data/models/demo-even")


def _bos_adding(tokenizer: Any) -> Any:
    """The tokenizer as Llama's are: it puts a BOS before every text by itself."""
    from tokenizers.processors import TemplateProcessing  # noqa: PLC0415 - with the engine alone

    bos = tokenizer.bos_token
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{bos} $A", special_tokens=[(bos, tokenizer.bos_token_id)]
    )
    assert tokenizer.encode("x")[0] == tokenizer.bos_token_id
    return tokenizer


def test_chat_has_one_bos_and_the_whole_prompt(tokenizer: Any) -> None:
    for one in (tokenizer, _bos_adding(tokenizer)):
        ids = render(one, PROMPT, "Help.", mode="chat", model="m")
        assert ids.count(one.bos_token_id) == 1
        assert one.decode(ids) == (
            "<|begin|><|system|>Help.<|end|><|user|>Aisha is taking a [BLANK]<|end|><|assistant|>"
        )


def test_completion_stops_at_the_blank(tokenizer: Any) -> None:
    ids = render(_bos_adding(tokenizer), PROMPT, "Help.", mode="completion", model="m")
    assert tokenizer.decode(ids) == "<|begin|>Help.\nAisha is taking a"


@pytest.mark.parametrize(
    ("template", "system", "complaint"),
    [
        (TWO_BOS, None, "models.m: the rendered prompt begins with two BOS tokens"),
        (None, None, "models.m.prompt_mode: the model has no chat template"),
        (NO_SYSTEM, "Help.", "models.m: the model's chat template drops the system prompt"),
        (REFUSES_SYSTEM, "Help.", "models.m: the model's chat template refuses the conversation"),
    ],
)
def test_templates_that_cannot_be_used(
    tokenizer: Any, template: str | None, system: str | None, complaint: str
) -> None:
    tokenizer.chat_template = template
    with pytest.raises(InputError) as raised:
        render(tokenizer, PROMPT, system, mode="chat", model="m")
    assert str(raised.value).startswith(complaint)


def test_a_template_may_do_without_bos_and_system(tokenizer: Any) -> None:
    for template in (NO_BOS, NO_SYSTEM, REFUSES_SYSTEM):
        tokenizer.chat_template = template
        ids = render(tokenizer, PROMPT, None, mode="chat", model="m")
        assert tokenizer.decode(ids, skip_special_tokens=True) == PROMPT


def test_another_template_in_place_of_the_models_own(tokenizer: Any) -> None:
    own = tokenizer.chat_template
    folded = "{% for m in messages %}{{ m.content }} {% endfor %}"
    other = WithTemplate(tokenizer, folded)
    ids = render(other, PROMPT, "Help.", mode="chat", model="m")
    assert tokenizer.decode(ids) == f"Help. {PROMPT} "
    assert (other.chat_template, tokenizer.chat_template) == (folded, own)


def test_hash_of_token_ids() -> None:
    # printf '\x01\x00\x00\x00\x00\x01\x00\x00' | sha256sum
    assert token_hash([1, 256]) == "242045e2f1bb3776"
