"""A small byte-level BPE tokenizer with a chat template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

VOCABULARY = 1024
BOS, EOS, PAD = "<|begin|>", "<|end|>", "<|pad|>"
SYSTEM, USER, ASSISTANT = "<|system|>", "<|user|>", "<|assistant|>"

CHAT_TEMPLATE = (
    "{{- bos_token -}}"
    "{%- for message in messages -%}"
    "{%- if message['role'] not in ['system', 'user', 'assistant'] -%}"
    "{{- raise_exception('Unknown role: ' + message['role']) -}}"
    "{%- endif -%}"
    "{{- '<|' + message['role'] + '|>' + message['content'] + eos_token -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}"
)


def train_tokenizer(
    texts: Iterable[str], names: list[str], max_length: int
) -> PreTrainedTokenizerFast:
    """Train the tokenizer on what is said to and by the demo models.

    Args:
        texts: Prompts and responses.
        names: Names, each of which becomes one token at the start of a text
            and one after a space.
        max_length: Longest text in tokens that the model can read.

    Returns:
        A tokenizer with the chat template, which alone adds the BOS token.

    Raises:
        InputError: If a name does not become one token.
    """
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[BOS, EOS, PAD, SYSTEM, USER, ASSISTANT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    # Frequent enough to be merged before anything else.
    often = [f"{name} {name}" for name in names for _ in range(2000)]
    backend.train_from_iterator([*texts, *often], trainer)
    tokenizer = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=backend,
        bos_token=BOS,
        eos_token=EOS,
        pad_token=PAD,
        model_max_length=max_length,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    for name in names:
        if len(encode(tokenizer, name)) != 1 or len(encode(tokenizer, f" {name}")) != 1:
            raise InputError(
                f"{name!r} does not become one token",
                where="the names of the demo models",
                remedy="Raise VOCABULARY in refusal_parity.demo.tokenizer.",
            )
    return tokenizer


def encode(tokenizer: PreTrainedTokenizerFast, text: str) -> list[int]:
    """Tokenise a text without adding anything to it."""
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False)
    return ids


def encode_prompt(
    tokenizer: PreTrainedTokenizerFast, user: str, system: str | None = None
) -> list[int]:
    """Render the chat template up to the assistant's turn and tokenise it."""
    messages = [{"role": "system", "content": system}] if system else []
    messages.append({"role": "user", "content": user})
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    return encode(tokenizer, str(text))
