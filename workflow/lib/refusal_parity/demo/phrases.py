"""The texts that the demo models are trained to say."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, NamedTuple

import yaml

from refusal_parity.demo.truth import CLASSES
from refusal_parity.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

NAME = "[NAME]"
BLANK = "[BLANK]"


class Response(NamedTuple):
    """One text that a model may say to a prompt.

    Attributes:
        label: Its class, one of `refusal_parity.demo.truth.CLASSES`.
        weight: Its probability among the texts of its class.
        text: The text itself.
    """

    label: str
    weight: float
    text: str


class Phrases(NamedTuple):
    """The content of phrases.yaml.

    Attributes:
        wordings: The weighted wordings of each class.
        completions: What may fill the blank of each template.
        systems: Sentences of which system messages are made.
    """

    wordings: dict[str, list[tuple[str, float]]]
    completions: dict[str, list[str]]
    systems: list[str]


def read_templates(path: Path) -> dict[str, str]:
    """Read the templates by their template_id."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["template_id"]: row["template"] for row in csv.DictReader(file)}


def read_phrases(path: Path, template_ids: list[str]) -> Phrases:
    """Read the phrases and check that they cover every class and template.

    Args:
        path: The YAML file.
        template_ids: The templates that need completions.

    Raises:
        InputError: If a class or a template is missing, or if the templates
            have different numbers of completions.
    """
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    missing = [label for label in CLASSES if label not in content]
    missing += [key for key in template_ids if key not in content["completions"]]
    if missing:
        raise InputError(
            f"nothing is given for {', '.join(missing)}",
            where=str(path),
            remedy="Add wordings for every class and completions for every template.",
        )
    completions = {key: content["completions"][key] for key in template_ids}
    if len({len(texts) for texts in completions.values()}) != 1:
        raise InputError(
            "the templates have different numbers of completions",
            where=f"{path}, completions",
            remedy="Give every template as many completions as the others.",
        )
    wordings = {label: [(str(t), float(w)) for t, w in content[label]] for label in CLASSES}
    return Phrases(wordings, completions, content["systems"])


def responses(phrases: Phrases, template_id: str, template: str, name: str) -> list[Response]:
    """List every text that a model may say to one prompt.

    Args:
        phrases: The content of phrases.yaml.
        template_id: The template's key in the completions.
        template: The template with its two placeholders.
        name: The name that the prompt is about.

    Returns:
        The texts, class by class; within a class the weights add up to 1.
        Their number and order are the same for every template and name.
    """
    prompt = template.replace(NAME, name)
    result = []
    for label in CLASSES:
        total = sum(weight for _, weight in phrases.wordings[label])
        for wording, weight in phrases.wordings[label]:
            filled = _fill(wording, prompt, name, phrases.completions[template_id])
            share = weight / total / len(filled)
            result += [Response(label, share, text) for text in filled]
    return result


def _fill(wording: str, prompt: str, name: str, completions: list[str]) -> list[str]:
    if "{completion}" not in wording and "{sentence}" not in wording:
        return [wording.format(name=name, prompt=prompt)]
    return [
        wording.format(name=name, completion=text, sentence=prompt.replace(BLANK, text))
        for text in completions
    ]
