"""What a command line asks for that no rule makes, with what was probably meant."""

from __future__ import annotations

import difflib
import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Pattern = tuple[str, re.Pattern[str]]
"""Path of a file, with what differs in braces, and what such paths match."""

_PART: Final = re.compile(r"\{(\w+)[^{}]*\}")
_LISTED: Final = "`snakemake --list-target-rules` and docs/tables.md say what there is."


def target_fault(
    target: str, rules: Mapping[str, Sequence[Pattern]], models: Sequence[str]
) -> str | None:
    """Say why a target cannot be made.

    Args:
        target: name of a rule, or path of a file.
        rules: the files that each rule makes.
        models: keys of the study's models.

    Returns:
        Sentences with what was probably meant; null if it can be made, as far as its name tells.
    """
    if target in rules:
        if not _is_one_of_many(rules[target]):
            return None
        some = next(_paths(rules[target], models), None)
        remedy = f"Ask for one of them, such as {some}." if some else "This study has none of them."
        return f"The rule {target} makes a file for each model or the like. {remedy}"
    files = [pattern for made in rules.values() for pattern in made]
    found = [hit.groupdict().get("model") for _, regex in files if (hit := regex.match(target))]
    unknown = [model for model in found if model is not None and model not in models]
    if len(unknown) < len(found):
        return None
    why = f": the study has no model {unknown[0]!r}" if unknown else ""
    names = [name for name, made in rules.items() if not _is_one_of_many(made)]
    close = _closest(target, [*names, *_paths(files, models)])
    return f"No rule makes {target}{why}. {f'Did you mean {close}?' if close else _LISTED}"


def _is_one_of_many(made: Sequence[Pattern]) -> bool:
    return any(_PART.search(path) for path, _ in made)


def _paths(patterns: Sequence[Pattern], models: Sequence[str]) -> Iterator[str]:
    """Paths of the study's own, for each model where there is one for each."""
    for path, regex in patterns:
        parts = _PART.findall(path)
        if set(parts) <= {"model"}:
            filled = [_PART.sub(model, path) for model in models] if parts else [path]
            yield from filter(regex.match, filled)


def _closest(target: str, known: Sequence[str]) -> str | None:
    """The name or path that is most like it; or the path whose file is called nearly so."""
    stems = {PurePath(path).stem: path for path in reversed(known)}
    whole = difflib.get_close_matches(target, known, n=1)
    return next(
        iter([*whole, *map(stems.__getitem__, difflib.get_close_matches(target, stems, n=1))]), None
    )
