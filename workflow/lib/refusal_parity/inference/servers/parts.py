"""Messages in parts: what the model said in them, and what it thought."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.inference.servers.errors import OddAnswerError, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SAID: Final = frozenset({"text", "output_text", "refusal"})
_MESSAGE: Final = "message"
"""Of OpenAI's Responses, whose output is a list of messages and thoughts."""

_THOUGHT: Final = frozenset({"thinking", "reasoning", "redacted_thinking", "reasoning_content"})
_THOUGHTS: Final = (
    *("thinking", "reasoning", "reasoning_content", "reasoningText", "reasoning_text"),
    *("text", "content", "summary"),
)
"""Where a part has them: Anthropic and Mistral, LangChain and inspect-ai, Bedrock; Vercel,
OpenAI's Responses, Databricks."""

_CIPHERS: Final = frozenset(
    {"data", "encrypted_content", "redactedContent", "redacted_content", "signature"}
)
"""Where thinking stands that nobody is to read."""

_REASONING: Final = ("reasoningContent", "reasoning_content")
_CITED: Final = ("citationsContent", "citations_content")
_OTHERS: Final = frozenset(
    {
        *("toolUse", "toolResult", "image", "document", "video", "audio", "guardContent"),
        *("functionCall", "functionResponse", "inlineData", "fileData", "executableCode"),
        *("codeExecutionResult", "function_call", "function_response", "inline_data"),
        *("file_data", "executable_code", "code_execution_result"),
    }
)
"""What parts of Bedrock and of Gemini hold that have no text."""

_BESIDE: Final = frozenset(
    {
        *("thought", "thoughtSignature", "videoMetadata", "partMetadata", "mediaResolution"),
        *("thought_signature", "video_metadata", "part_metadata", "media_resolution"),
    }
)
"""What Gemini writes into a part beside its text, as JSON and in Python."""

_WITHOUT_WORDS: Final = re.compile(
    r"\w*(tooluse|toolcalls?|toolresult|toolresponse|call|calloutput|functionresponse)|mcp\w+"
    r"|executablecode|codeexecutionresult|reference|source(url|document)?|stepstart"
)
"""Calls of tools, what these gave back, and where it is from: the model says nothing in them."""


def is_part(value: Any) -> bool:
    """Whether it is a part of a message: a text, a thought, with its type or without."""
    if not isinstance(value, dict):
        return False
    held = _held(value)
    if isinstance(held.get("type"), str):
        return True
    # Other keys beside a text are those of a row, or of one of several responses.
    within = held.keys() - _BESIDE
    return within == {"text"} or bool(held and not within) or _alone(held) is not None


def is_thought(value: Any) -> bool:
    """Whether it is a part of a message that the model thought."""
    return is_part(value) and _is_thought(str(_typed(value)["type"]))


def without_words(value: Any) -> str | None:
    """The type of a part that calls a tool, or holds what one gave back; null for any other."""
    kind = str(_typed(value)["type"]) if is_part(value) else ""
    return kind if _WITHOUT_WORDS.fullmatch(re.sub("[-_]", "", kind).lower()) else None


def _is_thought(kind: str) -> bool:
    """Whether it is a type of thinking; OpenRouter has several (`reasoning.text`)."""
    return kind.partition(".")[0] in _THOUGHT


def _held(part: Mapping[str, Any]) -> dict[str, Any]:
    """What a part holds; Parquet and Python have the keys of all parts in each."""
    return {key: value for key, value in part.items() if value is not None}


def _alone(held: Mapping[str, Any]) -> str | None:
    """The key of a part whose other contents, if any, only say more of it; null without one."""
    keys = [key for key in (*_REASONING, *_CITED, *_OTHERS) if key in held]
    return keys[0] if len(keys) == 1 and not held.keys() - _BESIDE - {*keys} else None


def _typed(part: Any) -> Any:
    """A part with its type: Gemini and Bedrock say it by the key under which the text stands."""
    if not is_part(part):
        return part
    held = _held(part)
    if "type" in held:
        return held
    key = _alone(held)
    if key is None:
        return {"type": "thinking" if held.get("thought") else "text", "text": ""} | held
    kind = "reasoning" if key in _REASONING else "text" if key in _CITED else key
    said = held[key]
    if key in _CITED:
        parts = said.get("content") if isinstance(said, dict) else None
        said = flat([parts]) if isinstance(parts, list) else parts
    return {"type": kind, "text": said}


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
        _read_part(_typed(part), texts, thoughts)


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
    elif kind is not None and _is_thought(kind):
        thoughts.append(_thought(part))
    elif kind == _MESSAGE and isinstance(part.get("content"), list):
        within: list[str] = []
        read_parts(part["content"], within, thoughts)
        texts.extend(["\n\n", *within] if texts and within else within)
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
