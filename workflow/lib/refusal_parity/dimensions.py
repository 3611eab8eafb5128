"""The ways to divide prompts into groups that are compared, each said in one place."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from refusal_parity.plugins import declare_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable

    import polars as pl


class Unit(StrEnum):
    """Whose property a level is, and thereby what a study has a sample of."""

    NAME = "name"
    TEMPLATE = "template"
    SET = "set"
    PROMPT = "prompt"
    LISTED = "listed prompt"

    @property
    def is_crossed_within(self) -> bool:
        """Whether names and texts both meet every level, so that levels are paired by both."""
        return self in {Unit.SET, Unit.PROMPT}


WITHIN_TEXTS: Final = frozenset({Unit.NAME, Unit.SET, Unit.PROMPT})
"""Units whose levels are compared within the same templates, or the same matched sets."""


KEYS: Final = {
    **dict.fromkeys(("prompt_id", "prompt"), "prompts"),
    **dict.fromkeys(("template_id", "template"), "templates"),
    **dict.fromkeys(("name_id", "name"), "names"),
    "set": "sets",
    "system_prompt": "arms",
}
"""Columns that tell what a study has from each other, by what that is: they have no levels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """A column of the prompts whose levels are compared.

    Attributes:
        key: in config and tables, and the column's name.
        unit: whose property a level is; of a prompt where names and templates meet every level,
            of a set where names and matched sets of templates do.
        one: a single unit of a level in a sentence, `{level}` standing for the level.
        many: its units in a sentence.
        title: as a heading; the key where it is not given.
        levels: its levels in a sentence, in general: `groups`.
        needed: whether the stimulus file must say it for each row.
        parts: other dimensions whose words together are its levels.
    """

    key: str
    unit: Unit
    one: str
    many: str
    title: str = ""
    levels: str = ""
    needed: bool = False
    parts: tuple[str, ...] = ()

    @property
    def heading(self) -> str:
        """The dimension as a heading has it, in small letters."""
        return self.title or self.key.replace("_", " ")

    @property
    def plural(self) -> str:
        """Its levels in general: `groups`."""
        return self.levels or f"levels of {self.heading}"

    def words(self, level: str, *, plural: bool = True) -> str:
        """A level as it stands in a sentence: `muslim names`."""
        return (self.many if plural else self.one).format(level=level)


class _Dimensions(dict[str, Dimension]):
    """Dimensions by key: lists those of every study, and finds a study's own factors too."""

    def __missing__(self, key: str) -> Dimension:
        return _FACTORS[key]

    def __getitem__(self, key: str) -> Dimension:
        return _LISTED[key] if key in _LISTED else super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        return key in _LISTED or super().__contains__(key)


_FACTORS: Final[dict[str, Dimension]] = {}
"""Factors of the study at hand, as `declare_factor` last had them."""

_LISTED: Final[dict[str, Dimension]] = {}
"""What the study at hand compares of a prompt list, where no level is a property of names."""

DIMENSIONS: Final[dict[str, Dimension]] = _Dimensions()
"""The dimensions of every study by key, in the order in which tables have them.

`DIMENSIONS[key]` finds a factor of the study at hand too (`factors.take_up`).
"""


def declare(dimension: Dimension) -> Dimension:
    """Let a dimension be compared.

    Raises:
        ValueError: another one has that key.
    """
    if dimension.key in DIMENSIONS:
        raise ValueError(f"dimension {dimension.key} is declared twice")
    DIMENSIONS[dimension.key] = dimension
    return dimension


_WORDS: Final = {
    Unit.NAME: ("name of the {key} {level}", "names of the {key} {level}"),
    Unit.TEMPLATE: ("template of the {key} {level}", "templates of the {key} {level}"),
    Unit.SET: ("the {key} {level}", "the {key} {level}"),
    Unit.PROMPT: ("the {key} {level}", "the {key} {level}"),
    Unit.LISTED: ("prompt of the {key} {level}", "prompts of the {key} {level}"),
}


def declare_factor(key: str, unit: Unit) -> Dimension:
    """Let a column of the study at hand be compared; a study read later may have it otherwise."""
    _FACTORS[key] = _worded(key, unit)
    return _FACTORS[key]


def list_up(compared: Iterable[str]) -> None:
    """Let what a study compares be factors of a prompt list; of no list, let nothing be.

    Args:
        compared: keys of dimensions, `arm` perhaps among them, which every prompt meets.
    """
    _LISTED.clear()
    met_by_all = of_unit(Unit.PROMPT)
    _LISTED.update((key, _worded(key, Unit.LISTED)) for key in compared if key not in met_by_all)


def _worded(key: str, unit: Unit) -> Dimension:
    shown = key.replace("_", " ").replace("{", "{{").replace("}", "}}")
    one, many = (words.replace("{key}", shown) for words in _WORDS[unit])
    parts = DIMENSIONS[key].parts if key in DIMENSIONS else ()
    return Dimension(key=key, unit=unit, one=one, many=many, parts=parts)


def with_factors(compared: Iterable[str]) -> list[str]:
    """Keys of the dimensions of every study, then of the factors among those compared."""
    return list(dict.fromkeys([*DIMENSIONS, *compared]))


def of_unit(unit: Unit, compared: Iterable[str] = (), *, own: bool = False) -> list[str]:
    """Keys of the dimensions whose levels are properties of a unit.

    Args:
        unit: name, template, set or prompt.
        compared: what the study at hand compares: its factors are among them.
        own: leave out those that are made of others.
    """
    return [
        key
        for key in with_factors(compared)
        if DIMENSIONS[key].unit is unit and not (own and DIMENSIONS[key].parts)
    ]


def composed() -> list[pl.Expr]:
    """Columns of the dimensions that are made of others: null where a part is."""
    import polars as pl  # noqa: PLC0415 - reading a config needs no frames

    return [
        pl.concat_str(*each.parts, separator=" ").alias(key)
        for key, each in DIMENSIONS.items()
        if each.parts
    ]


GROUP: Final = declare(
    Dimension(
        key="group",
        unit=Unit.NAME,
        one="{level} name",
        many="{level} names",
        levels="groups",
        needed=True,
    )
)
declare(
    Dimension(
        key="gender",
        unit=Unit.NAME,
        one="name read as {level}",
        many="names read as {level}",
        levels="genders",
    )
)
declare(
    Dimension(
        key="group_gender",
        unit=Unit.NAME,
        one="name read as {level}",
        many="names read as {level}",
        title="group and gender",
        levels="groups and genders",
        parts=("group", "gender"),
    )
)
declare(Dimension(key="commonness", unit=Unit.NAME, one="{level} name", many="{level} names"))
declare(
    Dimension(
        key="family",
        unit=Unit.TEMPLATE,
        one="template of the family {level}",
        many="templates of the family {level}",
        title="template family",
        levels="template families",
        needed=True,
    )
)


def _arm(word: str) -> Dimension:
    return Dimension(
        key="arm",
        unit=Unit.PROMPT,
        one=f"the {word} {{level}}",
        many=f"the {word} {{level}}",
        title=word,
        levels=f"{word}s",
        needed=True,
    )


ARM: Final = declare(_arm("system prompt"))


def word_arms(*, more: bool) -> None:
    """Call arms of the study at hand system prompts, unless some are more than that.

    Args:
        more: whether a guard reads a request first, or a text stands around one.
    """
    DIMENSIONS[ARM.key] = _arm("arm") if more else ARM


declare_plugins("dimension")
