"""What a model is sent, and what it said, in its own tokens."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from refusal_parity.inference.checks import own_chat_template, read_chat_template
from refusal_parity.inference.rendering import WithTemplate, render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from refusal_parity.config import VllmModel
    from refusal_parity.inference.rendering import Rendered
    from refusal_parity.inference.requests import Tokenizer


class Speaker(Protocol):
    """A model as far as its words go."""

    @property
    def key(self) -> str:
        """In the config."""
        ...

    def sent(self, pairs: Sequence[tuple[str, str | None]]) -> list[Rendered]:
        """Prompts as the model gets them.

        Args:
            pairs: distinct prompts, each with its system prompt or null.

        Raises:
            InputError: a prompt cannot be rendered.
        """
        ...

    def said(self, responses: Sequence[tuple[Rendered, str]]) -> list[list[int]]:
        """Tokens of responses, each in its place behind its prompt."""
        ...

    def written(self, tokens: Sequence[int]) -> str:
        """The words that tokens stand for."""
        ...


@dataclass(frozen=True, slots=True)
class OwnSpeaker:
    """A model whose weights one has.

    Attributes:
        key: in the config.
        config: its part of the config.
        raw: the tokenizer in its folder.
        tokenizer: the same with the chat template of the job.
    """

    key: str
    config: VllmModel
    raw: Any
    tokenizer: Tokenizer

    @classmethod
    def of(cls, key: str, config: VllmModel, folder: Path) -> OwnSpeaker:
        """The model in a folder.

        Raises:
            InputError: its chat template cannot be used.
        """
        from transformers import AutoTokenizer  # noqa: PLC0415 - seconds to import

        raw = AutoTokenizer.from_pretrained(
            folder, trust_remote_code=config.trust_remote_code, local_files_only=True
        )
        template = (
            read_chat_template(Path(config.chat_template))
            if config.chat_template
            else own_chat_template(getattr(raw, "chat_template", None), folder)
        )
        return cls(key, config, raw, WithTemplate(raw, template, config.date))

    def sent(self, pairs: Sequence[tuple[str, str | None]]) -> list[Rendered]:
        """Prompts, rendered by the chat template."""
        return render(
            self.tokenizer,
            pairs,
            mode=self.config.prompt_mode,
            model=self.key,
            thinking=self.config.thinking,
        )

    def said(self, responses: Sequence[tuple[Rendered, str]]) -> list[list[int]]:
        """Tokens of responses, each in its place behind its prompt."""
        return [self._behind(prompt, text) for prompt, text in responses]

    def _behind(self, prompt: Rendered, text: str) -> list[int]:
        """In its place, as tokenizers treat the start of a text apart."""
        whole = self.config.prompt_mode == "completion"
        both = self.tokenizer.encode(prompt.text + text, add_special_tokens=whole)
        before = len(prompt.token_ids)
        if both[:before] == prompt.token_ids:
            return both[before:]
        return self.tokenizer.encode(text, add_special_tokens=False)

    def written(self, tokens: Sequence[int]) -> str:
        """The words that tokens stand for."""
        return str(self.raw.decode(list(tokens)))
