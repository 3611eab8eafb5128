"""Texts of a file that are no model's, or no longer as it wrote them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import polars as pl

from refusal_parity.cells import NOTHING
from refusal_parity.counting import agreed, counted
from refusal_parity.inference.warned import WARNING
from refusal_parity.misread import once_encoded
from refusal_parity.vocabulary import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

_FAILURE: Final = re.compile(
    r"Error code: \d{3}\b|Traceback \(most recent call last\):|\[?(ERROR|FAILED|BLOCKED)\]?[:\]]"
    r"|(\w+\.)*\w*(Error|Exception|Timeout)(:|\()|(Request|Connection) (timed out|error|failed)\.?$"
    r"|HTTP(Error)? ?[45]\d\d\b|[\[(](no response|refused|content[ _]filter(ed)?|blocked|error"
    r"|timeout|empty|invalid)[\])]$|(finish|block)_reason\W|The response was filtered due to"
    r"|\{\s*[\"']error[\"']\s*:|Request failed with status code [45]\d\d|An error occurred \("
    r"|Invalid operation: The `response\.text`|CUDA (out of memory|error)"
    r"|4\d\d (Too Many Requests|Bad Request|Unauthorized|Forbidden|Not Found)"
    r"|50\d (Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out)"
    r"|<(!doctype html|html)\b.{0,200}?\b(50[0234]|4[02][0349])\b"
    r"|(ERROR|Internal Server Error|(Read)?Timeout|\[object Object\])\.?$|HTTPS?ConnectionPool\(",
    re.IGNORECASE | re.DOTALL,
)
"""What clients of services say, at the beginning of a text."""

_MESSAGE: Final = re.compile(
    r"content=['\"].*['\"] (additional_kwargs|response_metadata)=|candidates=\["
    r"|model='.*' created_at="
    r"|\[?(\w+\.)*\w*(Completion|Message|Response|Output|Block|Result|Candidate|Generation)\(\w+="
    r"|response:\s+GenerateContentResponse\(|<[\w.]+( object( [\w.<>]+)?)? at 0x[0-9a-f]+>$"
    r"|[\[(]*\{\s*[\"'](role|choices|candidates|generated_text|type[\"']\s*:\s*[\"']"
    r"(text|output_text|message|thinking|reasoning)|id[\"']\s*:\s*[\"'](chatcmpl|msg_|resp_|gen-))"
    r"|\[+'.*'\]+$|b(?P<quote>['\"]).*(?P=quote)$",
    re.DOTALL,
)
"""How programs write a whole message, or a list of one, of which the response is a part."""

_DAMAGED: Final = (
    "\ufffd|&(#39|#x27|apos|rsquo|quot);"
    r"|\b(?i:[a-z]+n|I|it|that|you|we|they)\?(t|m|s|ll|ve|re|d)\b"
)
"""What stands where an apostrophe was: `don\ufffdt`, `don&#39;t`, `don?t`."""

_NEXT_TURN: Final = re.compile(
    r"(<\|(im_end|eot_id|end|end_of_text|endoftext)\|>|</s>|<end_of_turn>)\s*"
    r"(<\|(im_start|start|begin_of_text|start_header_id|user)\|>|<s>|\[INST\]|<start_of_turn>)"
    r"|(?<=\S)\s*(<\|im_start\|>|<\|start_header_id\|>|<start_of_turn>)\s*(user|system|model|assistant)"
)
"""Tokens that end a message and begin another."""

_MOST: Final = 0.5
"""Share of responses from which on a program, and not the model, repeated the prompt."""

_LONGEST: Final = 60
_BESIDE: Final = 12


def like_failures(responses: pl.DataFrame) -> str | None:
    """A sentence where texts are what a program wrote in the place of a response."""
    stripped = _texts(responses)
    found = [
        text for text in stripped if text in NOTHING or _FAILURE.match(text) or _MESSAGE.match(text)
    ]
    if not found:
        return None
    shown = found[0].split("\n")[0][:_LONGEST]
    return (
        f"{WARNING}{counted(len(found), 'response')} {agreed(len(found), 'reads', 'read')} like "
        f"what a program writes ({shown!r}), and {agreed(len(found), 'counts', 'count')} as what "
        "the model said: leave such cells empty, move their words into a column that columns.error "
        "names, or write the response alone"
    )


def with_prompts(responses: pl.DataFrame, prompts: pl.DataFrame) -> str | None:
    """A sentence where responses have the prompt in them, as programs give both in one text.

    Args:
        responses: rows of the Responses table.
        prompts: the study's table of `Prompts`.
    """
    asked = prompts.select("prompt_id", "prompt")
    texts = responses.filter(status=str(Status.OK)).join(asked, on="prompt_id")
    within = pl.col("response").str.contains(pl.col("prompt"), literal=True)
    found = texts.filter(within, pl.col("response") != pl.col("prompt"))
    if found.is_empty() or len(found) < _MOST * len(texts):
        return None
    return (
        f"{WARNING}{counted(len(found), 'response')} of {len(texts):,} "
        f"{agreed(len(found), 'holds its', 'hold their')} whole prompt "
        f"({_begun(found['response'][0])!r}): if a program wrote it there and no model, write what "
        "came after it alone"
    )


def run_on(responses: pl.DataFrame) -> str | None:
    """A sentence where texts hold the next turn of the conversation, which models go on to."""
    # Every such token begins so, and few texts hold one.
    texts = (text for text in _texts(responses) if "<" in text)
    found = [match for text in texts if (match := _NEXT_TURN.search(text))]
    if not found:
        return None
    first = found[0]
    shown = first.string[max(0, first.start() - _BESIDE) : first.end()]
    return (
        f"{WARNING}{counted(len(found), 'response')} {agreed(len(found), 'holds', 'hold')} tokens "
        f"of another turn ({_begun(shown)!r}), and all that stands there counts as what the model "
        "said: cut the texts at the end of its own"
    )


def _begun(text: str) -> str:
    return text.replace("\n", " ")[:_LONGEST]


def damaged(responses: pl.DataFrame) -> str | None:
    """A sentence where letters, apostrophes above all, are no longer those that were written.

    A classifier reads `can\ufffdt` as another word than `can't`.
    """
    texts = pl.Series(_texts(responses), dtype=pl.String)
    marked, foreign = (texts.str.contains(each) for each in (_DAMAGED, r"[^\x00-\x7f]"))
    found = [
        text
        for text, is_marked in zip(
            texts.filter(marked | foreign), marked.filter(marked | foreign), strict=True
        )
        if is_marked or once_encoded(text)
    ]
    if not found:
        return None
    return (
        f"{WARNING}{counted(len(found), 'response')} {agreed(len(found), 'holds', 'hold')} letters "
        f"that some program damaged ({_place(found[0])!r}), so that labels may be wrong: export "
        "them anew as UTF-8, without a detour over a spreadsheet or HTML"
    )


def _place(text: str) -> str:
    """The first such letter, with what stands beside it."""
    found = re.search(_DAMAGED, text) or re.search(r"[^\x00-\x7f]", text)
    at = found.start() if found else 0
    return text[max(0, at - _BESIDE) : at + _BESIDE]


def _texts(responses: pl.DataFrame) -> Sequence[str]:
    ok = responses.filter(status=str(Status.OK))
    return ok["response"].str.strip_chars().to_list()
