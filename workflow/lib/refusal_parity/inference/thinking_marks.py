"""The marks of what a model writes to itself before it responds.

They are those of the reasoning parsers of vLLM and of the models' own cards.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from refusal_parity.config import Thinking

# Tokens such as `<|thinking_start|>` are ended by another mark than a tag.
_NO_TAG: Final = r"(?!(?:begin|start|end)(?:_of)?_|\w+_(?:begin|start|end)\b)"
_SURE: Final = (
    rf"{_NO_TAG}(?:(?:\w+[:|_]|ant)?think(?:ing|_\w+)?(?::[\w-]+)?"
    r"|(?:\w+_)?thoughts?(?:_process)?)"
)
_TAG: Final = (
    rf"{_SURE}|{_NO_TAG}reasoning(?:_\w+)?|reflection|scratch_?pad|(?:inner|internal)_monologue"
    r"|chain_of_thought"
    r"|(?:nach)?denken|gedanken|überlegung(?:en)?|raisonnement|réflexion|razonamiento|pensamiento"
)
_PERHAPS: Final = r"analysis|reason|cot|monologue"
_OPENS: Final = r"(?:<|&lt;|\uff1c)[ \t]*"
_CLOSES: Final = r"[ \t]*(?:>|&gt;|\uff1e)"


def _tags(names: str) -> tuple[str, str]:
    """Patterns of what opens and what closes: as HTML escapes them and in full width too."""
    return (
        rf"{_OPENS}\|?(?:{names})(?:\s[^<>&\uff1c\uff1e]*)?\|?{_CLOSES}",
        rf"{_OPENS}\|?[/\uff0f](?:{names})\s*\|?{_CLOSES}",
    )


_TAGGED: Final = _tags(_TAG)
"""`<think>` and its kin: DeepSeek, Qwen, GLM, Kimi, Olmo, Nemotron; `<seed:think>`,
`<mm:think>`, `<ifm|think_fast>`; `<thought>` of Exaone; `<reasoning>`, `<reflection>` and
`<scratchpad>` of many tunings and prompts, German, French and Spanish ones among them; with
attributes, or with bars as special tokens have them."""

_PAIRS: Final = (
    ("[THINK]", "[/THINK]"),  # Mistral
    ("<|START_THINKING|>", "<|END_THINKING|>"),  # Cohere
    ("<|channel>thought", "<channel|>"),  # Gemma 4
    ("<unused94>thought", "<unused95>"),  # MedGemma
    ("[unused16]", "[unused17]"),  # Pangu
    ("<|open|>think<|sep|>", "<|close|>think<|sep|>"),  # Kimi K3
    ("◁think▷", "◁/think▷"),  # Kimi-VL
    ("<|inner_prefix|>", "<|inner_suffix|>"),  # Apertus
)
_WORD: Final = "think(?:ing)?|thoughts?|reasoning"
_TOKENS: Final = (
    rf"<\|?(?:(?:begin|start)_?(?:of_?)?(?:{_WORD})|(?:{_WORD})_(?:begin|start))\|?>",
    rf"<\|?(?:end_?(?:of_?)?(?:{_WORD})|(?:{_WORD})_end)\|?>",
)
"""`<|begin_of_thought|>` (Sky-T1, OpenThinker), `<|thinking_start|>` and their like."""

_ONLY_TOGETHER: Final = (
    # Solar Open, whose thinking is a message of its own.
    (
        r"<\|think\|>(?=(?s:.)*<\|end\|>)(?!(?s:.)*<\|/think\|>)",
        r"<\|end\|>(?:\s*<\|begin\|>assistant)?(?:<\|content\|>)?",
    ),
    # Open WebUI.
    (r"<details\s+type=.?reasoning[^>]*>(?:\s*<summary>[^<]*</summary>)?", r"</details>"),
    (r"<\|content_thinking\|>", r"<\|end_message\|>"),  # Inkling
    (r"Here(?: is|'s) my thought process:", r"Here(?: is|'s) my response:"),  # Granite 3
    (r"Here are my reasoning steps:", r"\[BEGIN FINAL RESPONSE\]"),  # Apriel
    (r"Thinking\.\.\.\s*\n", r"\n\.\.\.done thinking\."),  # Ollama's command line
)
"""Patterns whose second part ends nothing unless the first began it."""

WRAPPERS: Final = (
    ("<|START_RESPONSE|>", "<|END_RESPONSE|>"),
    ("<|START_TEXT|>", "<|END_TEXT|>"),
    ("<|open|>response<|sep|>", "<|close|>response<|sep|>"),
    ("<|content_text|>", "<|end_message|>"),
    ("<|begin_of_solution|>", "<|end_of_solution|>"),
    ("<answer>", "</answer>"),
    ("<response>", "</response>"),
    ("<output>", "</output>"),
    ("<final_answer>", "</final_answer>"),
    ("<final>", "</final>"),
    ("<final_response>", "</final_response>"),
    ("<solution>", "</solution>"),
    ("", "[END FINAL RESPONSE]"),
)
"""What some models put around the response that follows."""

END: Final = re.compile(
    r"(?:<\|(?:im_end|eot_id|eot|eom_id|end_of_text|endoftext|end_of_turn|end_of_box|end|return|role_end|pad)\|>"
    r"|</s>|<eos>|<end_of_turn>|<turn\|>|<pad>|\[PAD\]|<\uff5cend\u2581of\u2581sentence\uff5c>)\Z"
)
"""What ends a message in the tokens of many tokenizers, as text that was decoded with them has."""

BEGIN: Final = re.compile(
    r"\A(?:[\s\u200b\u2060\ufeff]+"
    # HTML strikes words out by the same tag.
    r"|<s>(?!(?s:.*?)</s>\s*[^\s])|<bos>|<\|(?:begin_of_text|startoftext|assistant|role_start|role_end|end_header_id)\|>"
    r"|<\|im_start\|>(?:assistant(?:\s|<\|im_sep\|>))?"
    r"|<\|begin\|>assistant|<\|content\|>|<\|start_header_id\|>(?:assistant)?"
    r"|<start_of_turn>(?:model\s)?"
    r"|<\uff5c(?:begin\u2581of\u2581sentence|Assistant)\uff5c>)+"
)
"""What begins a message in them, with blanks and marks that nobody sees."""

LONGEST_END: Final = 24
"""Characters that none of these exceeds."""

# gpt-oss: each message is in a channel, and only `final` is the response.
_CHANNEL: Final = "<|channel|>"
_CHANNEL_TOKENS: Final = (
    *(_CHANNEL, "<|message|>", "<|start|>", "<|end|>", "<|return|>", "<|call|>", "<|constrain|>"),
)

_SOLAR_OPENS: Final = "<|think|>"
_SOLAR_TOKENS: Final = ("<|begin|>", "<|content|>", "<|end|>")

Block = tuple[re.Pattern[str], re.Pattern[str]]
"""What starts thinking, and what ends it."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Patterns of what starts and ends thinking.

    Attributes:
        blocks: those of each pair.
        perhaps: the same, where a response has to follow: else it is what stands in between.
        later: blocks that count wherever they begin a line.
        start: any of what starts it.
        lone_end: any of what may end it alone.
        first: the first character of each of these, to be quick where there is none.
    """

    blocks: list[Block]
    perhaps: list[Block]
    later: list[Block]
    start: re.Pattern[str]
    lone_end: re.Pattern[str]
    first: re.Pattern[str]


@cache
def marks_of(markup: Thinking) -> Marks:
    """The marks of a model's thinking: all that are known, or its own."""
    if isinstance(markup, str):
        literal = [(re.escape(start), re.escape(end)) for start, end in _PAIRS]
        literal = [_TOKENS, *literal]
        lone, pairs = [_TAGGED, *literal], [*_ONLY_TOGETHER, _TAGGED, *literal]
        perhaps, later, first = [_tags(_PERHAPS)], [_tags(_SURE), *literal], r"[<\[◁&\uff1c]"
    else:
        pairs = lone = later = [(re.escape(markup.start), re.escape(markup.end))]
        perhaps, first = [], re.escape(markup.end[0])
    return Marks(
        blocks=_blocks(pairs),
        perhaps=_blocks(perhaps),
        later=[(_pattern(rf"^[ \t]*(?:{start})", re.MULTILINE), _pattern(end))
               for start, end in later],
        start=_pattern("|".join(start for start, _ in pairs)),
        lone_end=_pattern("|".join(end for _, end in lone)),
        first=_pattern(first),
    )  # fmt: skip


def _blocks(pairs: Iterable[tuple[str, str]]) -> list[Block]:
    return [(_pattern(rf"(?:{start}\s*)+"), _pattern(end)) for start, end in pairs]


def _pattern(text: str, more: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | more)


def opening_tag(prompt: str, markup: Thinking) -> str:
    """The tag with which a prompt begins the model's thinking for it; empty for none."""
    if markup == "none":
        return ""
    start = marks_of(markup).start.pattern
    if markup == "auto":
        start += r"|<\|channel\|>analysis<\|message\|>"
    found = _pattern(rf"(?:{start})\s*\Z").search(prompt)
    return found[0] if found else ""


def markup_tokens(special_tokens: Iterable[str], markup: Thinking) -> frozenset[str]:
    """Those of a tokenizer's special tokens without which thinking cannot be told."""
    if markup == "none":
        return frozenset()
    special = set(special_tokens)
    if markup != "auto":
        return frozenset(token for token in special if token in markup.start + markup.end)
    literal = "\n".join(mark for pair in _PAIRS for mark in pair) + "<|content_thinking|>"
    found = {
        token
        for token in special
        if token in literal or re.fullmatch("|".join(_TAGGED + _TOKENS), token, re.IGNORECASE)
    }
    if _CHANNEL in special:
        found |= special.intersection(_CHANNEL_TOKENS)
    if _SOLAR_OPENS in special:
        found |= special.intersection(_SOLAR_TOKENS)
    if found:
        wrapped = "\n".join(mark for pair in WRAPPERS for mark in pair)
        found |= {token for token in special if token in wrapped}
    return frozenset(found)
