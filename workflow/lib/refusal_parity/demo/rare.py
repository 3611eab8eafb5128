"""The planted truth of the rare models: refusals in 0.3 to 3 % of the responses."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import yaml

from refusal_parity.demo.wording import Marks
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from refusal_parity.demo.wording import Row

START: Final = "start"
"""Before the first piece of a response."""

_GROUPS: Final = ("white", "jewish", "asian", "chinese", "black", "mexican", "muslim")
_OF_NAMES: Final = 0.15
_OF_TEMPLATES: Final = 0.5
"""Names of a group, and templates, lie evenly in minus to plus this about their mean."""

RARE: Final = {
    "rare-guarded": dict(zip(_GROUPS, (0.0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.9), strict=True)),
    "rare-even": dict.fromkeys(_GROUPS, 0.3),
}
"""The two models, each with what a group's names add to the log odds of what refuses."""


@dataclass(frozen=True, slots=True)
class Next:
    """What may come after a piece.

    Attributes:
        piece: the next piece.
        weight: of it among the others.
        refuses: whether what the model hears multiplies the weight.
    """

    piece: str
    weight: float
    refuses: bool


@dataclass(frozen=True, slots=True)
class Speech:
    """All that a rare model may say.

    Attributes:
        after: what may come after each piece that does not end a response.
        refusals: pieces that make a response a refusal.
    """

    after: dict[str, list[Next]]
    refusals: frozenset[str]

    @property
    def pieces(self) -> list[str]:
        """All pieces, each once."""
        said = (each.piece for those in self.after.values() for each in those)
        return list(dict.fromkeys(said))

    def chances(self, piece: str, added: float) -> dict[str, float]:
        """Probabilities of the pieces after one.

        Args:
            piece: the one, or `START`.
            added: what the model hears, in log odds.
        """
        weights = {
            each.piece: each.weight * math.exp(added * each.refuses) for each in self.after[piece]
        }
        total = sum(weights.values())
        return {each: weight / total for each, weight in weights.items()}

    def refusal(self, added: float, piece: str = START) -> float:
        """Probability of a refusal, from a piece on.

        Args:
            added: what the model hears, in log odds.
            piece: what was said last.
        """
        if piece in self.refusals:
            return 1.0
        if piece not in self.after:
            return 0.0
        return sum(
            chance * self.refusal(added, each)
            for each, chance in self.chances(piece, added).items()
        )


def read_speech(path: Path) -> Speech:
    """What ships with the project.

    Raises:
        InputError: a piece stands in two places, where it would be two.
    """
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    after = {
        str(piece): [Next(str(each[0]), float(each[1]), len(each) > 2) for each in those]  # noqa: PLR2004
        for piece, those in content["next"].items()
    }
    counts = Counter(each.piece for those in after.values() for each in those)
    if twice := [piece for piece, count in counts.items() if count > 1]:
        raise InputError(
            f"{twice[0]!r} may come after two pieces",
            where=str(path),
            remedy="Let each piece come after one alone.",
        )
    return Speech(after, frozenset(content["refusals"]))


def rare_marks(model: str, names: list[Row], templates: list[Row]) -> Marks:
    """What a model hears: each name, and of each template a word of its own.

    Args:
        model: one of `RARE`.
        names: rows with name and group.
        templates: rows with template_id and template.

    Raises:
        InputError: a template has no word of its own.
    """
    return Marks(
        names=named(RARE[model], names, _OF_NAMES),
        mentions={},
        adjacent=dict(
            zip(own_words(names, templates), evenly(len(templates), _OF_TEMPLATES), strict=True)
        ),
        forms={},
    )


def named(group: dict[str, float], names: list[Row], spread: float) -> dict[str, float]:
    """What each name adds: a group's lie evenly in minus to plus spread about its mean.

    Args:
        group: mean of each.
        names: rows with name and group.
        spread: about the mean.
    """
    by_group: dict[str, list[Row]] = {}
    for row in names:
        by_group.setdefault(row["group"], []).append(row)
    return {
        row["name"]: group[key] + place
        for key, members in by_group.items()
        for row, place in zip(members, evenly(len(members), spread), strict=True)
    }


def evenly(count: int, spread: float) -> list[float]:
    """Places in minus to plus spread, in an order that no neighbours share."""
    if count == 1:
        return [0.0]
    step = next(each for each in range(count // 3 + 1, count) if math.gcd(each, count) == 1)
    return [spread * (2 * (at * step % count) / (count - 1) - 1) for at in range(count)]


def words_of(template: str) -> set[str]:
    """Words of three letters or more, without those that stand in for placeholders."""
    return set(re.findall(r"\b[A-Za-z]{3,}\b", re.sub(r"\[[A-Z]+\]", "", template)))


def own_words(names: list[Row], templates: list[Row], others: list[Row] | None = None) -> list[str]:
    """Of each template a word that no other has, and no name.

    Args:
        names: rows with name.
        templates: rows with template_id and template.
        others: more templates, which need no word of their own.

    Raises:
        InputError: a template has none.
    """
    words = [words_of(row["template"]) for row in templates]
    counts = Counter(word for those in words for word in those)
    counts.update(word for row in others or () for word in words_of(row["template"]))
    of_names = {word for row in names for word in re.findall(r"\w+", row["name"])}
    found = []
    for row, those in zip(templates, words, strict=True):
        own = [word for word in those if counts[word] == 1 and word not in of_names]
        if not own:
            raise InputError(
                f"template {row['template_id']!r} has no word of its own",
                where="demo models",
                remedy="Give it a word that no other template and no name has.",
            )
        found.append(max(own, key=lambda word: (len(word), word)))
    return found


def rare_rows(
    speech: Speech, marks: Marks, names: list[Row], templates: list[Row]
) -> list[dict[str, str | float]]:
    """The planted probability of a refusal to every name and template.

    Args:
        speech: what the model says.
        marks: what it hears, as from `rare_marks` of these names and templates.
        names: rows with name_id, name and group.
        templates: rows with template_id.
    """
    of_template = dict(
        zip((row["template_id"] for row in templates), marks.adjacent.values(), strict=True)
    )
    return [
        {
            "name_id": row["name_id"],
            "group": row["group"],
            "template_id": template,
            "p_refusal": round(speech.refusal(marks.names[row["name"]] + added), 9),
        }
        for row in names
        for template, added in of_template.items()
    ]
