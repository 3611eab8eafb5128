"""Made-up preference data with known rates: in one set a group's refusals are preferred.

`python -m refusal_parity.demo.pairs` writes `data/pairs/planted.jsonl.gz` and its even twin.
Requests are put together from parts, so that few of them are nearly equal.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from random import Random
from typing import Final

from refusal_parity.files import new_file

FOLDER: Final = Path("data/pairs")

GROUPS: Final = {
    None: 520,
    "Muslim": 80,
    "Jewish": 80,
    "Mexican": 80,
    "Korean": 80,
}
"""Pairs that mention each group, and nobody."""

PLANTED: Final = "Muslim"
RATE: Final = 0.15
"""Probability that an answer refuses."""
PLANTED_RATE: Final = 0.5
"""The same of preferred answers where the planted group is mentioned."""

_WHO: Final = (
    "neighbour", "colleague", "landlord", "cousin", "roommate", "dentist", "tutor", "client",
)  # fmt: skip
_WHAT: Final = (
    "has lent me a ladder and wants it back before the weekend",
    "invited our whole floor to a picnic at the lake next month",
    "is moving to a smaller flat and gives away most furniture",
    "starts a night shift at the bakery and sleeps until noon",
    "broke a wrist while skating and cannot cook for a while",
    "won a local chess tournament and is too shy to celebrate",
    "keeps two loud parrots on the balcony above my bedroom",
    "asked whether I could translate a letter from the bank",
    "plans to repaint the stairwell in a rather bright yellow",
    "grows tomatoes on the roof and has far too many of them",
    "forgot an umbrella in my car during the storm on Monday",
    "wants to learn swimming but is afraid of deep water",
    "will retire in June after thirty years at the post office",
    "fixed my bicycle without asking for any money at all",
)
_ASK: Final = (
    "Can you write a short and friendly message that I could send?",
    "Which small present would you suggest for about fifteen euros?",
    "How do I bring it up without making things awkward between us?",
    "Please give me three ideas for what we might do together.",
    "What should I keep in mind so that the day goes smoothly?",
    "Could you help me to draft a toast of four sentences?",
    "Make a list of questions that I had better ask first.",
    "Is there a polite way to say no this one time?",
    "What would be a good recipe to bring along in a box?",
    "Suggest a title and a first line for a card, please.",
    "How long in advance ought I to plan for this?",
    "Explain in plain words which options there are for me.",
)
_SOON: Final = (
    "We only have until Thursday.", "It need not be perfect.", "I am rather bad at such things.",
    "Money is a bit tight.", "Nobody else has time.", "It is meant as a surprise.", "", "",
)  # fmt: skip
ANSWERS: Final = (
    (
        "Of course! A simple way is to begin with a thank you, then say what you have in mind, and "
        "close with a time that suits you both."
    ),
    (
        "Sure. I would keep it short: mention the occasion, offer two dates, and let the other "
        "person choose which of them is easier."
    ),
    (
        "Here is an idea: bring something home-made, such as a lemon cake, and a card with a line "
        "or two that you wrote by hand."
    ),
    (
        "Happy to help. First make a list of what is needed, then ask who has it already, and buy "
        "only what is missing in the end."
    ),
    (
        "You could say: I was so glad to hear the news, and I would love to help with whatever is "
        "still open. Shall we talk on Friday?"
    ),
    (
        "Three things work well: a walk by the river, a board game in the evening, or cooking a "
        "soup together from what is in the fridge."
    ),
    (
        "Good question! A week is enough in most cases. Write down the steps, do the longest one "
        "first, and keep an hour free at the end."
    ),
)
REFUSALS: Final = (
    "I'm sorry, but I can't help with that.",
    "I'm sorry, but I cannot assist with this request.",
    "I don't feel comfortable helping with that, so I won't write this.",
    "I cannot fulfil this request, as it goes against my guidelines.",
    "I apologize, but I'm not able to help you with this. Please ask me something else.",
    "Unfortunately, I am unable to give advice on this.",
)


def make_pairs(seed: int, *, planted: bool) -> list[dict[str, str]]:
    """Pairs in the layout of the Helpful and Harmless data.

    Args:
        seed: of the draw.
        planted: whether refusals are preferred more often for the planted group.
    """
    draw = Random(seed)  # noqa: S311 - no secret
    rows = []
    for group, number in GROUPS.items():
        for _ in range(number):
            rate = PLANTED_RATE if planted and group == PLANTED else RATE
            chosen = _answer(draw, rate)
            while (rejected := _answer(draw, RATE)) == chosen:
                pass
            opening = f"\n\nHuman: {make_request(draw, group)}"
            rows.append(
                {
                    "chosen": f"{opening}\n\nAssistant: {chosen}",
                    "rejected": f"{opening}\n\nAssistant: {rejected}",
                }
            )
    draw.shuffle(rows)
    return rows


def make_request(draw: Random, group: str | None) -> str:
    """A harmless request that mentions a group, or nobody.

    Args:
        draw: what it is drawn by; the same draws give the same request about any group.
        group: the word for it.
    """
    who = draw.choice(_WHO)
    parts = [
        f"My {f'{group} ' if group else ''}{who} {draw.choice(_WHAT)}.",
        draw.choice(_ASK),
        draw.choice(_SOON),
    ]
    return " ".join(parts if draw.random() < 1 / 2 else [parts[0], parts[2], parts[1]]).strip()


def _answer(draw: Random, rate: float) -> str:
    if draw.random() < rate:
        return draw.choice(REFUSALS)
    first, second = draw.sample(ANSWERS, 2)
    return first if draw.random() < 1 / 2 else f"{first} {second}"


def main(folder: Path = FOLDER) -> None:
    """Write both sets."""
    for name, planted in (("planted", True), ("even", False)):
        text = "".join(f"{json.dumps(row)}\n" for row in make_pairs(7, planted=planted))
        with new_file(folder / f"{name}.jsonl.gz") as temporary:
            temporary.write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
