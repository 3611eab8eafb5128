"""What pydantic finds wrong with a config, as a sentence for people."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final, get_args, get_origin

from refusal_parity.config.engines import ENGINES
from refusal_parity.config.keys import without_keys
from refusal_parity.config.section import Section
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_NO_KEYS: Final = {
    *("[key]", "FolderSource", "HubSource", "WheelSource", "ThinkingTags", "a path", "a list"),
}
"""Parts of pydantic's paths that stand nowhere in a config, beside the engines' names."""

_KIND: Final = re.compile(r"(literal|list|function-\w+)\[.*\]", re.DOTALL)
"""What pydantic writes into a path for one of the kinds that a value may be of."""

_ALIKE: Final = 0.7
"""How alike two keys are of which one may be meant (`difflib`)."""
_MISSPELT: Final = 0.85
"""How alike where it surely is."""

_ANY: Final = "<key>"
"""What stands in a path for a key that people choose."""

_TEXT: Final = "must be text; quotes around it make it so"
_KEYS: Final = "must be keys with values"
_WHOLE: Final = "must be a whole number"
_SAYS: Final = {
    "string_type": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "dict_type": _KEYS,
    "model_type": _KEYS,
    "model_attributes_type": _KEYS,
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "needs at least {min_length}, and has {actual_length}",
    "string_too_short": "must not be empty",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "union_tag_invalid": "must be one of {expected_tags}",
}
"""Words for what goes wrong mostly, by pydantic's name for it; of others, its own are taken."""

_PATTERNS: Final = {
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$": "must be of letters A to Z, digits, points, _ and - alone, "
    "and begin with a letter or digit",
    r"^[0-9a-f]{64}$": "must be 64 of the digits 0 to 9 and a to f",
    r"^[0-9a-f]{40}$": "must be a commit, 40 of the digits 0 to 9 and a to f: a branch moves",
    r"^https?://": "must begin with http:// or https://",
    r"^[^/.][^/]*(/[^/.][^/]*)*[.]gguf$": "must be a path within the package that ends in .gguf",
}


def readable(error: ValidationError, where: str) -> InputError:
    """The first finding of pydantic as a sentence for people."""
    finding, more = _first(error.errors(include_url=False))
    path = _path(finding)
    key = ".".join(path) or "the config"
    rest = f" ({more} more after this one.)" if more else ""
    if finding["type"] == "extra_forbidden":
        hint = _instead(path, error.title)
        if not hint or hint.endswith("?"):
            hint += _of_servers(finding)
        return InputError(
            f"unknown key {key}",
            where=where,
            remedy=f"{hint.lstrip() or 'Remove it.'} config/README.md lists the keys.{rest}",
        )
    if finding["type"] in {"missing", "union_tag_not_found"}:
        return InputError(
            f"key {key} is missing",
            where=where,
            remedy=f"Add it; config/README.md says what it takes.{rest}",
        )
    hint = _hint(finding)
    return InputError(
        without_keys(f"{key}: {_said(finding)}")[:500],
        where=where,
        remedy=f"{hint.lstrip() or 'Correct it;'} config/README.md says what it takes.{rest}",
    )


def _first(findings: list[ErrorDetails]) -> tuple[ErrorDetails, int]:
    """The first finding, and how many there are beside it.

    A value that may be of several kinds has findings for each. The kind that was meant is the
    one that fits down to the innermost key.
    """
    first = findings[0]["loc"]
    kinds = [at for at, part in enumerate(first) if _KIND.fullmatch(str(part))]
    if not kinds:
        return findings[0], len(findings) - 1
    value = first[: kinds[0]]
    tried = [each for each in findings if each["loc"][: len(value)] == value]
    return max(tried, key=lambda each: len(each["loc"])), len(findings) - len(tried)


def _path(finding: ErrorDetails) -> list[str]:
    """The keys that lead to what is wrong, as they stand in the config."""
    parts = list(finding["loc"])
    if parts[-1:] == ["[key]"]:
        parts[-2] = finding["input"]
    guard = parts[:1] == ["guards"] and len(parts) > 1
    if guard:
        # Behind its key stands which kind of guard it is.
        del parts[2:3]
    if finding["type"].startswith("union_tag"):
        parts.append("kind" if guard and len(parts) == 2 else "engine")  # noqa: PLR2004
    keys = [str(part) for part in parts if not _KIND.fullmatch(str(part))]
    return [without_keys(key) for key in keys if key not in {*ENGINES, *_NO_KEYS}]


def _said(finding: ErrorDetails) -> str:
    """What is wrong with the value, and what it is, unless it may be a key or hold one."""
    about = finding.get("ctx", {})
    given = about.get("tag", finding["input"])
    if finding["type"] == "string_pattern_mismatch":
        words = _PATTERNS.get(about["pattern"], finding["msg"])
    elif finding["type"] in _SAYS:
        words = _SAYS[finding["type"]].format_map(about)
    else:
        words = finding["msg"].removeprefix("Value error, ")
    if finding["type"] == "key" or not isinstance(given, str | int | float | None):
        return words
    shown = repr(without_keys(given) if isinstance(given, str) else given)
    return words if isinstance(given, str) and shown in words else f"{words} (given: {shown})"


def _hint(finding: ErrorDetails) -> str:
    """The word that was meant, of those that the key takes."""
    about = finding.get("ctx", {})
    allowed = re.findall(r"'([^']+)'", str(about.get("expected", about.get("expected_tags", ""))))
    return _close(str(about.get("tag", finding["input"])), set(allowed))


def _close(given: Any, known: set[str], least: float = 0.6) -> str:
    close = difflib.get_close_matches(given, sorted(known), n=1, cutoff=least)
    return f" Did you mean {close[0]!r}?" if close else ""


def _instead(path: list[str], title: str) -> str:
    """The key of the same section that was meant, or where such a key stands."""
    *before, given = path
    own, others = set[str](), dict[str, str]()
    for place, section in _places(title):
        parts = place.split(".") if place else []
        here = len(parts) == len(before) and all(
            part in {_ANY, at} for part, at in zip(parts, before, strict=True)
        )
        if here:
            own |= set(section.model_fields)
        else:
            for key in section.model_fields:
                others.setdefault(key, place)
    if given in own:
        return " Others of its kind have it, this one has not."
    if given in others and not _close(given, own, _MISSPELT):
        return f" It stands in {others[given] or 'the config itself'}."
    near = difflib.get_close_matches(given, sorted(others), n=1, cutoff=_ALIKE)
    far = f" Did you mean {near[0]!r} in {others[near[0]] or 'the config itself'}?" if near else ""
    return _close(given, own, _ALIKE) or far


def _of_servers(finding: ErrorDetails) -> str:
    """Where parameters go that only a server knows."""
    section = finding["loc"][:-1]
    if section == ("sampling",) or (section[:1] == ("models",) and section[2:] == ("openai",)):
        return f" What only a server takes goes into models.{_ANY}.request (rename, extra_body)."
    return ""


def _places(title: str) -> Iterator[tuple[str, type[Section]]]:
    """Each section within the one of this name, with the keys that lead there."""
    todo = [("", each) for each in _sections() if each.__name__ == title]
    while todo:
        place, section = todo.pop(0)
        yield place, section
        for key, field in section.model_fields.items():
            start = f"{place}.{key}" if place else key
            todo += [(start + more, each) for more, each in _within(field.annotation)]


def _within(annotation: Any) -> Iterator[tuple[str, type[Section]]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield "", annotation
    more = f".{_ANY}" if get_origin(annotation) is dict else ""
    for each in get_args(annotation):
        yield from ((more + rest, section) for rest, section in _within(each))


def _sections(of: type[Section] = Section) -> list[type[Section]]:
    return [of, *(each for child in of.__subclasses__() for each in _sections(child))]
