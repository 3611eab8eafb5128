"""The file that a study stands in, read before Snakemake reads it."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any, Final

import yaml

from refusal_parity.errors import InputError
from refusal_parity.textfiles import Doubled, parsed_json, read_text

if TYPE_CHECKING:
    from pathlib import Path

_MOST_BYTES: Final = 1_000_000
_OTHERWISE: Final = re.compile(r"[-+]?(0[0-7_]+|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)")
"""Numbers with a nought before them, which are octal, and with colons, which are sexagesimal."""

_PATTERN: Final = "Take config/config.yaml as a pattern."


def read_study(path: Path) -> dict[str, Any]:
    """What a config file holds, as Snakemake reads it, if it says that to people too.

    YAML's readers take 010 for 8, 1:30 for 90, and of a key that stands twice the last.

    Raises:
        InputError: there is no such file, or it is no mapping in YAML or JSON with each key once.
    """
    if not path.is_file():
        beside = path.parent.glob("*.y*ml") if path.parent.is_dir() else ()
        close = difflib.get_close_matches(
            path.name, [each.name for each in beside], n=1, cutoff=0.75
        )
        meant = f"Did you mean {path.with_name(close[0])}? " if close else ""
        raise InputError(
            "is a folder" if path.is_dir() else "there is no such file",
            where=str(path),
            remedy=f"{meant}Name the config of a study, CONFIG=config/config.yaml for example.",
        )
    if path.stat().st_size > _MOST_BYTES:
        raise InputError(
            f"holds {path.stat().st_size:,} bytes, more than any config", where=str(path),
            remedy=_PATTERN,
        )  # fmt: skip
    given = read_yaml(path, remedy=_PATTERN)
    if not isinstance(given, dict):
        what = "empty" if given is None else "no study: keys with values are missing"
        raise InputError(what, where=str(path), remedy=_PATTERN)
    return given


def read_yaml(path: Path, *, remedy: str) -> Any:
    """What a file in YAML or JSON holds; null where it is empty.

    Args:
        path: the file.
        remedy: what to do about a file that is none.

    Raises:
        InputError: it is not there or none, a key stands twice, or a number says to people
            another than to YAML.
    """
    text = read_text(path, remedy=remedy)
    try:
        return _json(text, path) or yaml.load(text, Loader=_EachKeyOnce)  # noqa: S506 - a safe one
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(
            f"cannot be read as YAML ({error.problem})",
            where=f"{path}{line}",
            remedy="Look at keys, indentation, colons and quotes there.",
        ) from error
    # Of too many levels, and of numbers too long to be one, YAML's reader knows nothing.
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InputError(
            f"cannot be read as YAML ({error})", where=str(path), remedy=remedy
        ) from error


def _json(text: str, path: Path) -> Any:
    """What a text in JSON holds, for Snakemake tries that first; null where it is none.

    Raises:
        InputError: a key stands twice in one object.
    """
    try:
        given = parsed_json(text)
    except ValueError:
        return None
    inside = [given]
    for each in inside:
        if isinstance(each, Doubled):
            raise InputError(
                f"key {min(each.keys_twice)!r} stands twice in one object",
                where=str(path),
                remedy="Keep one of the two.",
            )
        inside += (
            each.values() if isinstance(each, dict) else each if isinstance(each, list) else []
        )
    return given


class _EachKeyOnce(yaml.SafeLoader):
    """Refuses a key that stands twice in one mapping: YAML would drop the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as in PyYAML
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.MarkedYAMLError(
                    problem="a key that is a list or a mapping", problem_mark=key.start_mark
                )
            # `<<` merges mappings and may stand twice.
            if key.value in seen and key.tag != "tag:yaml.org,2002:merge":
                raise yaml.MarkedYAMLError(
                    problem=f"key {key.value!r} stands there twice", problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)

    def as_written(self, node: yaml.ScalarNode) -> int | float:
        """A number, unless YAML takes it for another than people do: 010 for 8, 1:30 for 90."""
        value = (
            self.construct_yaml_int(node)
            if node.tag.endswith("int")
            else (self.construct_yaml_float(node))
        )
        if _OTHERWISE.fullmatch(node.value):
            raise yaml.MarkedYAMLError(
                problem=f"{node.value} is the number {value:g} in YAML; write that, or quotes "
                "around it",
                problem_mark=node.start_mark,
            )
        return value


for _tag in ("int", "float"):
    _EachKeyOnce.add_constructor(f"tag:yaml.org,2002:{_tag}", _EachKeyOnce.as_written)
