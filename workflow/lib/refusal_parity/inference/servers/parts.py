"""Messages in parts: what the model said in them, and what it thought."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.inference.servers.errors import OddAnswerError, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SAID: Final = frozenset({"text", "output_text", "refusal"})
_THOUGHT: Final = frozenset({"thinking", "reasoning", "redacted_thinking"})
_THOUGHTS: Final = ("thinking", "reasoning", "text", "content", "summary")
"""Where a part has them: Anthropic and Mistral, LangChain and inspect-ai, Vercel, OpenAI's
Responses, Databricks."""

_CIPHERS: Final = frozenset({"data", "encrypted_content"})
"""Where thinking stands that nobody is to read."""


def read_parts(parts: Sequence[Any], texts: list[str], thoughts: list[Any]) -> None:
    """Put the parts of a message where they belong.

    Args:
        parts: of a message's content.
        texts: filled with what the model said.
        thoughts: filled with what it thought.

    Raises:
        OddAnswerError: a part is neither.
    """
    for part in parts:
        _read_part(part, texts, thoughts)


def flat(thoughts: Sequence[Any]) -> str:
    """Thoughts as one text.

    Raises:
        OddAnswerError: they have too many levels.
    """
    try:
        told = [_flat(thought) for thought in thoughts if thought]
    except RecursionError:
        raise OddAnswerError("what the model thought is nested too deeply") from None
    return "\n".join(filter(None, told))


def _read_part(part: Any, texts: list[str], thoughts: list[Any]) -> None:
    kind = str(part.get("type") or "") if isinstance(part, dict) else None
    if kind in _SAID:
        text = part.get("text", part.get("refusal"))
        if not isinstance(text, str):
            raise OddAnswerError(f"the text of a part is {kind_of(text)}")
        texts.append(text)
    elif kind in _THOUGHT:
        thoughts.append(_thought(part))
    else:
        what = f"of the type {kind!r:.40}" if kind else kind_of(part)
        raise OddAnswerError(f"content has a part that is {what}")


def _thought(part: Mapping[str, Any]) -> Any:
    """What a part thinks; of one that is redacted, whose text is a cipher, the summary."""
    keys = ("summary",) if part.get("redacted") is True else _THOUGHTS
    return next((part[key] for key in keys if part.get(key)), None)


def _flat(thought: Any) -> str:
    """Thinking as text: it is nowhere laid down, so any form of it but a cipher is kept."""
    if isinstance(thought, str):
        return thought
    if isinstance(thought, list):
        return "".join(map(_flat, thought))
    if isinstance(thought, dict):
        if (told := _thought(thought)) is not None:
            return _flat(told)
        if _CIPHERS & thought.keys():
            return ""
    return json.dumps(thought, ensure_ascii=False)
