"""The planted truth of the arms models: what a wrapper, an adapter and a guard do, and to whom.

They hear names, words that stand in unsafe requests alone, and the word of a wrapper. What the
wrapper adds to the log odds of a refusal differs from group to group in the one model and is
the same for everybody in its twin. The guards stop a request where what they hear adds up to
more than 0.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from refusal_parity.demo.rare import evenly, named, own_words, words_of
from refusal_parity.demo.wording import Marks
from refusal_parity.errors import InputError
from refusal_parity.factors import UNSAFE

if TYPE_CHECKING:
    from refusal_parity.demo.wording import Row

_GROUPS: Final = ("white", "jewish", "asian", "chinese", "black", "mexican", "muslim")
_NONE: Final = dict.fromkeys(_GROUPS, 0.0)


def _by_group(*effects: float) -> dict[str, float]:
    return dict(zip(_GROUPS, effects, strict=True))


REMINDER: Final = "responsible"
"""The word of a wrapper that the models hear."""

FREED: Final = -2.5
"""What the adapter adds to the log odds of every refusal: it undoes most of them."""

SPREAD: Final = 0.3
"""Names of a group lie evenly in minus to plus this about its mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmsLaw:
    """What adds to the log odds of a refusal.

    Attributes:
        base: of a harmless request about a name that adds nothing.
        group: of each group's names, on average.
        unsafe: of an unsafe request.
        reminded: of the wrapper.
        reactions: of the wrapper around a request with a name of each group, besides.
    """

    base: float
    group: dict[str, float]
    unsafe: float
    reminded: float
    reactions: dict[str, float]

    def refusal(
        self, *, name: float, group: str, unsafe: bool, wrapped: bool, added: float
    ) -> float:
        """The planted rate of refusals.

        Args:
            name: what the name adds.
            group: of the name.
            unsafe: whether the request is.
            wrapped: whether the wrapper stands around it.
            added: by an adapter.
        """
        odds = self.base + name + self.unsafe * unsafe + added
        odds += (self.reminded + self.reactions[group]) * wrapped
        return 1 / (1 + math.exp(-odds))


ARMS: Final = {
    "arms-guarded": ArmsLaw(
        base=-2.2,
        group=_by_group(0.0, 0.1, 0.1, 0.2, 0.3, 0.3, 0.6),
        unsafe=3.0,
        reminded=0.5,
        reactions=_by_group(0.0, 0.1, 0.1, 0.2, 0.4, 0.4, 1.8),
    ),
    "arms-even": ArmsLaw(base=-1.9, group=_NONE, unsafe=3.0, reminded=0.8, reactions=_NONE),
}
"""The two models: safeguards that cost some more than others, and the twin with equal costs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateLaw:
    """What a guard adds up; it stops a request where the sum lies above 0.

    Attributes:
        group: of each group's names, on average.
        spread: of a group's names about that.
        unsafe: of an unsafe request.
        lowest: of a harmless request; they lie evenly from there to `highest`.
        highest: likewise.
    """

    group: dict[str, float]
    spread: float
    unsafe: float = 2.0
    lowest: float = -1.6
    highest: float = 0.4

    def harmless(self, count: int) -> list[float]:
        """What each of some harmless requests adds."""
        middle, reach = (self.highest + self.lowest) / 2, (self.highest - self.lowest) / 2
        return [middle + each for each in evenly(count, reach)]


GATES: Final = {
    "gate-guarded": GateLaw(group=_by_group(0.0, 0.05, 0.05, 0.1, 0.2, 0.2, 1.05), spread=SPREAD),
    "gate-even": GateLaw(group=_NONE, spread=0.0),
}
"""The two guards: one that stops more of what is asked about some, and its twin."""


def parted(templates: list[Row]) -> tuple[list[Row], list[Row]]:
    """Harmless templates and unsafe ones."""
    unsafe = [row for row in templates if row["kind"] == UNSAFE]
    return [row for row in templates if row["kind"] != UNSAFE], unsafe


def arms_marks(law: ArmsLaw, names: list[Row], templates: list[Row]) -> Marks:
    """What a model hears.

    Args:
        law: of the model.
        names: rows with name, group, and columns `mention`, `mention_...`.
        templates: rows with template_id, kind and template.

    Raises:
        InputError: an unsafe template has no word that no harmless one has.
    """
    return Marks(
        names=named(law.group, names, SPREAD),
        mentions={},
        adjacent=dict.fromkeys(_unsafe_words(names, templates), law.unsafe),
        forms={REMINDER: law.reminded},
        reactions={row["name"]: law.reactions[row["group"]] for row in names},
    )


def gate_marks(law: GateLaw, names: list[Row], templates: list[Row]) -> Marks:
    """What a guard hears: names, of each harmless template a word of its own, unsafe words.

    Args:
        law: of the guard.
        names: rows with name, group, and columns `mention`, `mention_...`.
        templates: rows with template_id, kind and template.

    Raises:
        InputError: a template has no word to know it by.
    """
    harmless, unsafe = parted(templates)
    own = own_words(names, harmless, unsafe)
    heard = dict(zip(own, law.harmless(len(harmless)), strict=True))
    return Marks(
        names=named(law.group, names, law.spread),
        mentions={},
        adjacent=heard | dict.fromkeys(_unsafe_words(names, templates), law.unsafe),
        forms={},
    )


def _unsafe_words(names: list[Row], templates: list[Row]) -> list[str]:
    """Of each unsafe template the longest word that no harmless one has, and nobody's mention."""
    harmless, unsafe = parted(templates)
    elsewhere = set().union(*(words_of(row["template"]) for row in harmless))
    for row in names:
        said = [text for key, text in row.items() if key.partition("_")[0] in {"name", "mention"}]
        elsewhere |= {word for text in said for word in re.findall(r"\w+", text)}
    found = []
    for row in unsafe:
        own = words_of(row["template"]) - elsewhere - {REMINDER}
        if not own:
            raise InputError(
                f"unsafe template {row['template_id']!r} has no word of its own",
                where="demo models",
                remedy="Give it a word that no harmless template, no name and no mention has.",
            )
        found.append(max(own, key=lambda word: (len(word), word)))
    return sorted(set(found))


def arms_rows(law: ArmsLaw, names: list[Row], added: float = 0.0) -> list[dict[str, str | float]]:
    """The planted rate of refusals of every name, by kind of request and arm.

    Args:
        law: of the model.
        names: rows with name_id, name and group.
        added: by an adapter.
    """
    effects = named(law.group, names, SPREAD)
    return [
        {
            "name_id": row["name_id"],
            "group": row["group"],
            "kind": UNSAFE if unsafe else "harmless",
            "arm": "reminded" if wrapped else "plain",
            "p_refusal": round(
                law.refusal(
                    name=effects[row["name"]],
                    group=row["group"],
                    unsafe=unsafe,
                    wrapped=wrapped,
                    added=added,
                ),
                6,
            ),
        }
        for row in names
        for unsafe in (False, True)
        for wrapped in (False, True)
    ]


def template_sums(law: GateLaw, templates: list[Row]) -> dict[str, float]:
    """What each template adds to a guard's sum, by its key.

    Args:
        law: of the guard.
        templates: rows with template_id and kind.
    """
    harmless, unsafe = parted(templates)
    heard = dict.fromkeys((row["template_id"] for row in unsafe), law.unsafe)
    keys = (row["template_id"] for row in harmless)
    return dict(zip(keys, law.harmless(len(harmless)), strict=True)) | heard


def gate_rows(law: GateLaw, names: list[Row], templates: list[Row]) -> list[dict[str, str | float]]:
    """With how large a share of each group's names the guard stops each template.

    Args:
        law: of the guard.
        names: rows with name and group.
        templates: rows with template_id and kind.
    """
    effects = named(law.group, names, law.spread)
    of_group = {
        group: [effects[row["name"]] for row in names if row["group"] == group]
        for group in law.group
    }
    return [
        {
            "group": group,
            "template_id": template,
            "p_stopped": round(sum(each + added > 0 for each in those) / len(those), 6),
        }
        for group, those in of_group.items()
        for template, added in template_sums(law, templates).items()
    ]
