"""Where a study agrees with what was registered, and where it does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from refusal_parity.config import StudyConfig
    from refusal_parity.preregistration.record import Preregistration

ABSENT: Final = "not there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What was registered, and what the study has instead.

    Attributes:
        what: key of the config, path of a file, or what else it is.
        registered: as text.
        now: likewise.
    """

    what: str
    registered: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A study beside what was registered.

    Attributes:
        agree: how many facts of each kind are as they were registered, by the kind.
        differences: those that are not, by the kind.
        unknown_weights: models whose weights cannot be compared.
    """

    agree: Mapping[str, int]
    differences: Mapping[str, tuple[Difference, ...]]
    unknown_weights: tuple[str, ...]

    @property
    def total(self) -> int:
        """How many facts differ."""
        return sum(map(len, self.differences.values()))


def compare(
    said: Preregistration,
    now: Preregistration,
    *,
    study: StudyConfig,
    drawn: Mapping[str, int],
    provenance: Mapping[str, Mapping[str, Any]],
) -> Comparison:
    """Hold a study against its pre-registration.

    Args:
        said: what was registered; of a study that grows, of the stage that it is at.
        now: the study as it stands; its plan, weights and responses before are not looked at.
        study: its config. Keys that a later version of the software added count where they
            are given, not where they have their default.
        drawn: by model, rows of its responses.
        provenance: by model, what is noted of its responses.
    """
    given = dict(_flat(study.model_dump(mode="json", exclude_defaults=True)))
    config, config_now = (
        {key: value for key, value in _flat(each.config) if not _is_question(key, each)}
        for each in (said, now)
    )
    later = {key for key in config_now if key not in config and key not in given}
    config_now = {key: value for key, value in config_now.items() if key not in later}
    asked = dict.fromkeys([*said.responses, *now.responses])
    weights = _weights(said, provenance)
    seen = {key.rpartition(".")[0] for key in weights[0]}
    kinds: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "question": (_question(said), _question(now)),
        "settings": (config, config_now),
        "files": (said.files, now.files),
        "prompts": (said.prompts.model_dump(), now.prompts.model_dump()),
        "weights": weights,
        "responses": (
            dict.fromkeys(asked, 0) | said.responses,
            {key: drawn.get(key, 0) for key in asked},
        ),
        "software": (_software(said), _software(now)),
    }
    agree, differences = {}, {}
    for kind, (first, second) in kinds.items():
        keys = list(dict.fromkeys([*first, *second]))
        found = tuple(
            Difference(
                what=key,
                registered=_text(first.get(key, ABSENT)),
                now=_text(second.get(key, ABSENT)),
            )
            for key in keys
            if first.get(key, ABSENT) != second.get(key, ABSENT)
        )
        agree[kind] = len(keys) - len(found)
        differences[kind] = found
    unknown = tuple(model for model in said.weights if model not in seen)
    return Comparison(agree=agree, differences=differences, unknown_weights=unknown)


def _is_question(key: str, said: Preregistration) -> bool:
    """Whether a key of the config is among what `Question` has."""
    dimension = f"analysis.dimensions.{said.question.dimension}."
    return key in {"analysis.alpha", "analysis.margin"} or key.startswith(
        ("analysis.primary_family.", dimension)
    )


def _question(said: Preregistration) -> dict[str, Any]:
    return said.question.model_dump(mode="json")


def _software(said: Preregistration) -> dict[str, Any]:
    software = said.software
    return {
        "refusal-parity": software.refusal_parity,
        "commit": software.commit or "unknown",
        **software.packages,
    }


def _weights(
    said: Preregistration, provenance: Mapping[str, Mapping[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What pinned the weights, and the same of those that answered, where both are known."""
    first, second = {}, {}
    for model, pinned in said.weights.items():
        source = (provenance.get(model) or {}).get("source")
        if pinned is None or not isinstance(source, dict):
            continue
        for key, value in pinned.items():
            if key in source:
                first[f"{model}.{key}"], second[f"{model}.{key}"] = value, source[key]
    return first, second


def _flat(value: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, each in value.items():
        if isinstance(each, dict) and each:
            yield from _flat(each, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", each


def _text(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value)) or "none"
    return str(value)
