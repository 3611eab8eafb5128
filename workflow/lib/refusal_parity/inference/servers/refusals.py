"""How services say that a filter of theirs stopped a request or its answer.

That is an outcome, a refusal by the service, and no failure: another try would end the
same way. What the model itself writes, `message.refusal` among it, is a response.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from refusal_parity.inference.finish_reasons import known_form

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# OpenAI, Azure, Mistral, most gateways; Bedrock; Anthropic; Zhipu; Cohere; Gemini, in which
# RECITATION (copied text) and SPII (personal data) are filters too: what was asked for is held
# back, whatever for; the reason says which it was. LANGUAGE and OTHER say nothing of a filter
# and are kept as unknown.
_FINISH: Final = re.compile(
    r"(\w+_)?(content_?filter(ed)?|safety|prohibited_content|blocklist|recitation|moderat(ion|ed)"
    r"|guardrails?(_intervened)?|content_(policy|moderation|blocked)|policy_violation)"
    r"|refusal|refused|sensitive|spii|(error_)?toxic|model_armor|flagged|(\w+_)?blocked(_by_\w+)?"
    # GigaChat; Bedrock's guardrails beside an answer of OpenAI's form.
    r"|filtered|blacklist|censored|(guardrail_)?intervened"
)
_REASONS: Final = ("finish_reason", "native_finish_reason", "stop_reason", "finishReason")
_BAD_REQUEST, _FORBIDDEN = 400, 403
# Guardrails of gateways have statuses of their own: 424 (Cloudflare), 446 (Portkey, WSO2).
_STATUSES: Final = frozenset({_BAD_REQUEST, _FORBIDDEN, 422, 424, 446, 451})
_CODE: Final = re.compile(
    r"content_?filter|responsible_?ai_?policy|content_?policy|policy_?violation|prohibited_?content"
    r"|data_?inspection|moderation|safety|blocklist|sensitive|content_?blocked|hooks_failed"
    r"|censor(ed|ship)|cyber_policy"
)
_RULES: Final = r"(polic(y|ies)|guidelines?|guardrails?)"
# OpenAI (`invalid_prompt`), DeepSeek, Zhipu, xAI, MiniMax (`input new_sensitive (1026)`), and
# gateways that keep the words and drop the code. A guardrail alone says nothing: it may be
# unknown, or out of order.
_WORDS: Final = re.compile(
    r"\bnew_sensitive\b|content (management |moderation |filtering )?polic|usage polic"
    r"|(was|were|been) flagged|content exists risk|inappropriate content"
    # OpenAI of biology (`we've limited access to this content for safety reasons`); Google;
    # LiteLLM's Presidio, which stops names; services of China.
    r"|limited access to this content|violated the responsible ai|blocked entity"
    r"|敏感(内容|信息)|涉嫌违规|内容违规|审核不通过"
    r"|(prompt|request|response|content|input|output)( (was|is|has been))? blocked"
    r"|safety (system|filter)|content[ _]filter"
    rf"|violat(es|ed|ing|ion).{{0,60}}\b{_RULES}|{_RULES}[_ ]?violat"
    r"|guardrail.{0,60}(interven|block|violat|trigger)|guardrail checks.{0,40} failed",
    re.IGNORECASE,
)
# xAI answers so with 403, where like words may be about the account, which is no answer to this
# request: `Content violates usage guidelines. [...] Failed check: SAFETY_CHECK_TYPE_BIO`.
_WORDS_OF_403: Final = re.compile(
    rf"\b(content|prompt|input)s? violat\w+.{{0,60}}\b{_RULES}|safety_check_type", re.IGNORECASE
)
# What libraries put into their own sentences: `finish_reason: SAFETY`.
_NAMED: Final = re.compile(r"\b(?:finish|block|stop)_?reason\W{1,4}(\w+)", re.IGNORECASE)
# What clients write before a service's words: `Error code: 401 - {...}`.
_STATUS: Final = re.compile(
    r"(?:error code|status(?: code)?|HTTP(?:/\d\.\d)?(?: error)?)\W{1,3}([45]\d\d)\b",
    re.IGNORECASE,
)
_OUT_OF_ORDER: Final = re.compile(
    r"\btime(?:d )?-?out\b|\w*timeout\b|\b(?:temporarily|service)(?: is)? unavailable\b"
    r"|\bunknown guardrail",
    re.IGNORECASE,
)
_SENSITIVE: Final = {1026: "input_sensitive", 1027: "output_sensitive"}
"""Codes with which MiniMax's filter stops a request and a response."""
_STATUSES_OF_CODES: Final = {
    **dict.fromkeys((1002, 1039, 1041, 2045, 2056), 429),
    **dict.fromkeys((1004, 2049), 401),
    **dict.fromkeys((1042, 2013), 400),
    1008: 402,
}
"""HTTP statuses that MiniMax's other codes stand for; 502 for those that are not here."""
_GUARDRAIL: Final = "amazon-bedrock-guardrailAction"
_RESULTS: Final = ("content_filter_result", "content_filter_results")
_CATEGORIES: Final = 8


def filter_of_choice(body: Mapping[str, Any], choice: Mapping[str, Any]) -> str | None:
    """Why a filter stopped a response, by its finish reason; null if none did.

    Args:
        body: the whole answer.
        choice: its first choice.
    """
    for key in _REASONS:
        word = choice.get(key)
        # Gemini names the category behind the word: `content_filter: PROHIBITED_CONTENT`.
        if isinstance(word, str) and _FINISH.fullmatch(known_form(word.partition(":")[0])):
            prompt = body.get("prompt_filter_results")
            return _reason(word, [choice, *(prompt if isinstance(prompt, list) else [])])
    guarded = body.get(_GUARDRAIL)
    if isinstance(guarded, str) and _FINISH.fullmatch(known_form(guarded)):
        return f"guardrail {guarded}"
    return _filter_beside(body, is_empty=not _mapping(choice.get("message")).get("content"))


def filter_of_prompt(body: Mapping[str, Any]) -> str | None:
    """Why a filter stopped a prompt, in an answer without a choice; null if none did.

    Args:
        body: the whole answer.
    """
    feedback = _mapping(body.get("promptFeedback") or body.get("prompt_feedback"))
    blocked = feedback.get("blockReason") or feedback.get("block_reason")
    if isinstance(blocked, str):
        return blocked
    if (beside := _filter_beside(body, is_empty=True)) is not None:
        return beside
    prompt = body.get("prompt_filter_results")
    named = _reason("prompt", prompt if isinstance(prompt, list) else [])
    return named if named != "prompt" else None


def filter_of_error(status: int, error: Mapping[str, Any], words: str) -> str | None:
    """Why a filter refused a request, by the error that it gave; null if none did.

    Args:
        status: HTTP status of the error.
        error: the error, as the service gives it.
        words: its message.
    """
    if status not in _STATUSES:
        return None
    inner = _mapping(error.get("innererror"))
    details = _mapping(error.get("metadata"))
    codes = [
        str(code)
        for code in (error.get("code"), error.get("type"), inner.get("code"))
        if isinstance(code, str) and _CODE.search(known_form(code))
    ]
    # OpenRouter.
    reasons = details.get("reasons")
    flagged = [str(one) for one in reasons] if isinstance(reasons, list) else []
    worded = (_WORDS_OF_403 if status == _FORBIDDEN else _WORDS).search(words)
    if not (codes or flagged or "flagged_input" in details or worded):
        return None
    word = codes[0] if codes else "moderation" if details else "filtered"
    named = _reason(word, [error, inner, details])
    return f"{named}: {', '.join(flagged[:_CATEGORIES])}" if flagged else named


def filter_of_words(words: str) -> str | None:
    """Why a filter refused a request, by an error of which only the words were kept.

    Args:
        words: a code, a service's reason for an end, or a sentence.
    """
    # A code is one word; in a sentence the same word may say anything.
    named = [words] if " " not in words.strip() else _NAMED.findall(words)
    if any(_FINISH.fullmatch(known_form(word)) for word in named):
        return words
    code = {"code": words} if " " not in words.strip() else {}
    told = _STATUS.search(words)
    status = int(told[1]) if told else _BAD_REQUEST
    if _OUT_OF_ORDER.search(words):
        return None
    return words if filter_of_error(status, code, words) else None


def error_beside(body: Mapping[str, Any]) -> dict[str, Any] | None:
    """An error that stands beside the answer (MiniMax) and is no filter's; null if none does.

    Args:
        body: the whole answer.
    """
    code, words = _said_beside(body)
    if code == 0 or code in _SENSITIVE or (code is None and body.get("choices")):
        return None
    if code is None:
        return {"code": words, "message": words} if words else None
    return {
        "status": _STATUSES_OF_CODES.get(code, 502),
        "message": f"{words or 'base_resp.status_code'} ({code})",
    }


def _filter_beside(body: Mapping[str, Any], *, is_empty: bool) -> str | None:
    """Why MiniMax's filter stopped a request or its response; null if it did not.

    Its flags alone also stand beside a response that is let through.
    """
    code, words = _said_beside(body)
    if code in _SENSITIVE:
        return f"{words or _SENSITIVE[code]} ({code})"
    flags = [flag for flag in _SENSITIVE.values() if body.get(flag) is True]
    return flags[0] if flags and is_empty else None


def _said_beside(body: Mapping[str, Any]) -> tuple[int | None, str]:
    """Code and words that MiniMax writes beside its choices."""
    beside = _mapping(body.get("base_resp"))
    code, words = beside.get("status_code"), beside.get("status_msg")
    if isinstance(code, str) and code.isdecimal() and code.isascii():
        code = int(code[:9])
    is_code = isinstance(code, int) and not isinstance(code, bool)
    return code if is_code else None, words.strip() if isinstance(words, str) else ""


def _reason(word: str, places: Iterable[Any]) -> str:
    """The service's own word, and its categories with their severity."""
    found = [category for place in places for category in _categories(_mapping(place))]
    distinct = list(dict.fromkeys(found))[:_CATEGORIES]
    return f"{word}: {', '.join(distinct)}" if distinct else word


def _categories(place: Mapping[str, Any]) -> list[str]:
    return [
        f"{name} ({verdict['severity']})" if isinstance(verdict.get("severity"), str) else str(name)
        for key in _RESULTS
        for name, verdict in _mapping(place.get(key)).items()
        if isinstance(verdict, dict)
        and (verdict.get("filtered") is True or verdict.get("detected") is True)
    ]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
