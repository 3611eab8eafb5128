"""Pairs as conversations that a model's chat template takes and its context holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from jinja2 import TemplateError

from refusal_parity.pair_vocabulary import Speaker, Untaught

if TYPE_CHECKING:
    import polars as pl

    from refusal_parity.config import VariantConfig
    from refusal_parity.training.lessons import Account

_ROLES: Final = {
    Speaker.SYSTEM: "system",
    Speaker.HUMAN: "user",
    Speaker.ASSISTANT: "assistant",
}

Message = dict[str, str]


def conversations(
    lessons: pl.DataFrame, tokenizer: Any, variant: VariantConfig, account: Account
) -> list[dict[str, list[Message]]]:
    """The rows that trl learns from.

    Args:
        lessons: rows of the Lessons table.
        tokenizer: has the chat template.
        variant: says which answers are learnt from, and how long they may be.
        account: of the pairs; those that cannot be used are moved in it.

    Returns:
        Each with `prompt` and `completion` (sft), or `prompt`, `chosen` and `rejected` (dpo).
    """
    rows = []
    for data, _, speakers, turns, chosen, rejected in lessons.iter_rows():
        prompt = [
            {"role": _ROLES[Speaker(speaker)], "content": text}
            for speaker, text in zip(speakers, turns, strict=True)
        ]
        answers = {"completion": chosen}
        if variant.method == "dpo":
            answers = {"chosen": chosen, "rejected": rejected}
        said = {key: [{"role": "assistant", "content": text}] for key, text in answers.items()}
        reason = _fault(tokenizer, prompt, list(said.values()), variant.max_tokens)
        if reason is None:
            rows.append({"prompt": prompt, **said})
        else:
            account.move(data, reason)
    return rows


def _fault(
    tokenizer: Any, prompt: list[Message], answers: list[list[Message]], longest: int
) -> Untaught | None:
    """Why a pair cannot be learnt from, if it cannot."""
    try:
        begun = tokenizer.apply_chat_template(prompt, add_generation_prompt=True, tokenize=False)
        whole = [tokenizer.apply_chat_template(prompt + each, tokenize=False) for each in answers]
    except (TemplateError, ValueError, TypeError):
        return Untaught.NOT_RENDERED
    # What is learnt is what comes behind the prompt: a template that writes earlier turns
    # otherwise once they are answered leaves no such place.
    if not all(text.startswith(begun) for text in whole):
        return Untaught.NOT_RENDERED
    sizes = (len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in whole)
    return Untaught.TOO_LONG if max(sizes) > longest else None
