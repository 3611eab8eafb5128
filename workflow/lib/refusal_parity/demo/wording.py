"""The planted truth of the wording models: name, mention, situation and form, each apart.

What they hear in a request are marks: a name, a word that mentions a group, a word that
stands in adjacent templates alone, the blank or the question mark. Each adds to the log odds
of a refusal, and nothing else does.
"""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDINGS: Final = ("name", "adjacent", "mention")
BLANK: Final = "[BLANK]"
QUESTION: Final = "?"

Row = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Law:
    """What adds to the log odds of a refusal.

    Attributes:
        base: of an instruction about a name that adds nothing.
        group: of each group's names, on average.
        spread: names of a group lie evenly in -spread to +spread about that.
        adjacent: of a situation that stereotypes are attached to.
        mention: of the words that say each group.
        completion: of a blank to fill.
        question: of a question mark.
    """

    base: float
    group: dict[str, float]
    spread: float = 0.0
    adjacent: float = 0.0
    mention: dict[str, float]
    completion: float = 0.0
    question: float = 0.0


_GROUPS: Final = ("white", "jewish", "asian", "chinese", "black", "mexican", "muslim")

LAWS: Final = {
    "wording-guarded": Law(
        base=-1.7,
        group=dict(zip(_GROUPS, (0.0, 0.2, 0.2, 0.4, 0.6, 0.6, 1.2), strict=True)),
        spread=0.3,
        adjacent=0.3,
        mention=dict(zip(_GROUPS, (0.2, 0.4, 0.2, 0.4, 0.8, 0.6, 1.2), strict=True)),
        completion=-0.5,
        question=-1.0,
    ),
    "wording-even": Law(
        base=-1.4, group=dict.fromkeys(_GROUPS, 0.0), mention=dict.fromkeys(_GROUPS, 0.0)
    ),
}
"""The two models: effects planted apart, and their twin without any."""


@dataclass(frozen=True, kw_only=True)
class Marks:
    """What a model hears, and by how much each moves the log odds of a refusal.

    Attributes:
        names: of people.
        mentions: words that mention a group.
        adjacent: words that stand in some templates alone.
        forms: of a request, or what is put around it.
        reactions: what names move it by besides, where a mark of `forms` is heard.
    """

    names: dict[str, float]
    mentions: dict[str, float]
    adjacent: dict[str, float]
    forms: dict[str, float]
    reactions: dict[str, float] = field(default_factory=dict)

    @property
    def kinds(self) -> tuple[dict[str, float], ...]:
        """Kinds of marks; of one kind a request has one effect."""
        return self.names, self.mentions, self.adjacent, self.forms


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV that ships with the project."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def marks(law: Law, names: list[Row], templates: list[Row]) -> Marks:
    """Find the marks of some names and templates.

    Args:
        law: what each adds.
        names: rows with name, group, and columns `mention`, `mention_...`.
        templates: rows with wording and template.

    Raises:
        InputError: an adjacent template has no word of its own, or a group no word that
            mentions it and no template has anyway.
    """
    others = [row["template"] for row in templates if row["wording"] != "adjacent"]
    ordinary = {word for text in others for word in _words(text)}
    adjacent = set()
    for row in templates:
        if row["wording"] == "adjacent":
            own = set(_words(row["template"])) - ordinary
            if not own:
                raise InputError(
                    f"adjacent template {row['template_id']!r} has no word of its own",
                    where="demo models",
                    remedy="Give it a word that no name or mention template has.",
                )
            adjacent |= own
    return Marks(
        names={row["name"]: effect for row, effect in _names(law, names)},
        mentions=_mentions(law, names, ordinary | adjacent),
        adjacent=dict.fromkeys(sorted(adjacent), law.adjacent),
        forms={BLANK: law.completion, QUESTION: law.question},
    )


def _words(text: str) -> list[str]:
    # Of three letters or more: a single one would be a letter that others are spelled with.
    return re.findall(r"\w{3,}", text)


def _names(law: Law, names: list[Row]) -> Iterator[tuple[Row, float]]:
    """Each name with its effect: evenly spread about its group's, in an order without gender."""
    for group in law.group:
        members = [row for row in names if row["group"] == group]
        count = len(members)
        # A step prime to the number of names: neighbours in the file are far apart.
        steps = range(count // 3 + 1, 2 * count + 2)
        step = next(each for each in steps if math.gcd(each, count) == 1)
        for at, row in enumerate(members):
            place = 0.0 if count == 1 else 2 * (at * step % count) / (count - 1) - 1
            yield row, law.group[group] + law.spread * place


def _mentions(law: Law, names: list[Row], elsewhere: set[str]) -> dict[str, float]:
    said: dict[str, set[str]] = {}
    for row in names:
        for column, text in row.items():
            if column.partition("_")[0] == "mention":
                for word in _words(text):
                    said.setdefault(word, set()).add(row["group"])
    found = {
        word: law.mention[next(iter(groups))]
        for word, groups in sorted(said.items())
        if len(groups) == 1 and word not in elsewhere
    }
    for group in law.mention:
        if not any(said[word] == {group} for word in found):
            raise InputError(
                f"no word mentions {group} alone",
                where="demo models",
                remedy="Give its names a mention with a word that no template has.",
            )
    return found


def refusal(law: Law, *, name: float, group: str, wording: str, form: str) -> float:
    """The planted rate of refusals.

    Args:
        law: of the model.
        name: what the name adds.
        group: of the name.
        wording: of the template.
        form: of the template.
    """
    said = {"name": 0.0, "adjacent": law.adjacent, "mention": law.mention[group]}
    asked = {"completion": law.completion, "question": law.question, "instruction": 0.0}
    return 1 / (1 + math.exp(-(law.base + name + said[wording] + asked[form])))


def planted(law: Law, names: list[Row]) -> list[dict[str, str | float]]:
    """The planted rate of every name at each wording and form."""
    return [
        {
            "name_id": row["name_id"],
            "group": row["group"],
            "wording": wording,
            "form": form,
            "p_refusal": round(
                refusal(law, name=effect, group=row["group"], wording=wording, form=form), 6
            ),
        }
        for row, effect in _names(law, names)
        for wording in WORDINGS
        for form in ("completion", "question", "instruction")
    ]


def write_planted(rows: list[dict[str, str | float]], path: Path) -> None:
    """Write the planted truth as the table that ships with a model."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
