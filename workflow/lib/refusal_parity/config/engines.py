"""The engines that responses come from: each declared beside its part of the config."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, get_args

from pydantic import Field

from refusal_parity.config.section import Key, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class EngineModel(Section):
    """A model of any engine; each engine has a class of its own."""

    variant_of: Key | None = Field(
        default=None,
        description="Key of the model that this one was made from by training, an adapter, "
        "quantising or steering: the two are compared prompt by prompt.",
    )

    openings: Literal["draw", "weigh"] | None = Field(
        default=None,
        description="Whether probabilities of openings are measured (see sampling.openings); null "
        "takes what the study's sampling says.",
    )

    def files(self) -> Iterator[tuple[str, Path]]:
        """Files that must be there before any job starts, each with the key that names it."""
        yield from ()

    def longest_answer(self, context: int | None = None) -> int:
        """Tokens that an answer to what is asked seldom exceeds.

        Args:
            context: what the model reads and writes at most, in tokens, where that is known.
        """
        return 512 if context is None else max(1, min(512, context // 2))

    def price(self, sent: int, answered: int) -> float | None:
        """What so many tokens cost; null where that is not known.

        Args:
            sent: tokens sent.
            answered: tokens received.
        """
        del sent, answered
        return None if engine_of(self).served else 0.0

    @property
    def weighs(self) -> bool:
        """Whether it tells how probable a given beginning of a response is."""
        return engine_of(self).weighs

    def asked(self) -> dict[str, Any]:
        """What the config says that changes responses, defaults left out."""
        running = {*engine_of(self).running, "variant_of", "openings"}
        return self.model_dump(mode="json", exclude_defaults=True, exclude=running)


Model = TypeVar("Model", bound=EngineModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """What an engine can do; nothing else in the project asks which one it is.

    Attributes:
        key: `engine` in the config.
        model: its part of the config.
        code: module whose `start` gives a `Source` for a job, and whose `settings` says what
            changes its responses; null where responses are read from a file.
        weights: it runs weights of one's own: the model has `source`, `lora`, `chat_template`.
        served: it asks somebody else's machine, over the network, and may cost money.
        seeded: two runs with the same seeds give the same responses.
        shards: a model's prompts may be split among several jobs.
        weighs: it tells how probable a given beginning of a response is, unless the model's own
            `weighs` says otherwise.
        running: keys that say how a job runs and change no response.
    """

    key: str
    model: type[EngineModel]
    code: str | None
    weights: bool = False
    served: bool = False
    seeded: bool = False
    shards: bool = False
    weighs: bool = False
    running: frozenset[str] = frozenset()

    @property
    def draws(self) -> bool:
        """Whether it draws responses, or reads those that somebody drew."""
        return self.code is not None

    def module(self) -> Any:
        """The module that `code` names, imported now: engines take seconds to import.

        Raises:
            ValueError: the engine draws nothing.
        """
        if self.code is None:
            raise ValueError(f"engine {self.key} draws nothing")
        return importlib.import_module(self.code)


ENGINES: Final[dict[str, Engine]] = {}
"""All engines by key."""


def engine(
    code: str | None, *, running: tuple[str, ...] = (), **capabilities: bool
) -> Callable[[type[Model]], type[Model]]:
    """Declare the model class that it decorates to be an engine's; see `Engine`.

    Raises:
        ValueError: another engine has that key.
    """

    def declare(model: type[Model]) -> type[Model]:
        (key,) = get_args(model.model_fields["engine"].annotation)
        if key in ENGINES:
            raise ValueError(f"engine {key} is declared twice")
        ENGINES[key] = Engine(
            key=key, model=model, code=code, running=frozenset(running), **capabilities
        )
        return model

    return declare


def engine_of(model: EngineModel) -> Engine:
    """What the engine of a model can do."""
    return next(each for each in ENGINES.values() if isinstance(model, each.model))
