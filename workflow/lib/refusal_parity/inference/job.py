"""One model's share of a study, and what every engine does with it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

from refusal_parity.config import EngineModel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    import polars as pl

    from refusal_parity.config import SamplingConfig
    from refusal_parity.inference.requests import Completion

CHUNK_S: Final = 20.0

Model_co = TypeVar("Model_co", bound=EngineModel, covariant=True)


@dataclass(frozen=True)
class InferenceJob(Generic[Model_co]):
    """One model's share of a study.

    Attributes:
        key: the model's key in the config.
        model: its part of the config.
        folder: its weights, tokenizer and config, where the engine runs weights.
        samples: responses for each prompt.
        sampling: how they are drawn.
        adapter: folder of the model's LoRA adapter.
        threads: CPU threads of the engine's arithmetic. More than one on busy
            cores is slower than one.
        schema: JSON schema that every response is held to, if any.
        chunk_s: seconds between two savings.
        store: folder of the store of responses; null for one beside the table.
        since: take over only what jobs drew that began then or later; null for all.
        again: keep what a finished table holds, and ask again what failed in it, that alone.
    """

    key: str
    model: Model_co
    folder: Path = Path()
    _: KW_ONLY
    samples: int
    sampling: SamplingConfig
    adapter: Path | None = None
    threads: int = 1
    schema: Mapping[str, Any] | None = None
    chunk_s: float = CHUNK_S
    store: Path | None = None
    since: datetime | None = None
    again: bool = False


class Source(Protocol):
    """An engine at a job's service: what it sends, draws, and says of itself.

    What takes long, such as loading weights, is done when something has to be drawn.
    """

    def settings(self) -> dict[str, Any]:
        """Everything that changes responses, beside what is sent and its seed, as JSON.

        It neither starts anything nor goes to the network: a dry-run asks, too.
        """
        ...

    def prepared(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows of the plan with what is known of them before they are drawn.

        Returns:
            The rows with prompt_tokens, rendered_sha256 and whatever `generate` needs.

        Raises:
            InputError: a prompt cannot be sent.
        """
        ...

    def provenance(self) -> dict[str, Any]:
        """What the engine says of itself: device, versions, how it sends and draws."""
        ...

    def asked(self) -> dict[str, Any]:
        """What the config says of the model, for the table's metadata."""
        ...

    def generate(self, rows: pl.DataFrame, *, fresh: bool) -> Iterator[Completion | None]:
        """Draw rows of the plan, in the order in which they finish.

        `index` of a completion is the row's place among those given. Null says that
        nothing finished for a while.

        Args:
            rows: of the plan, prepared.
            fresh: whether no response of this model was ever drawn under these settings.
        """
        ...

    def remarks(self, responses: pl.DataFrame) -> Iterator[str]:
        """What to tell the user about the finished table; nothing by default."""
        del responses
        yield from ()

    def usage(self, responses: pl.DataFrame) -> dict[str, Any]:
        """What the finished table cost, for its metadata; nothing by default."""
        del responses
        return {}
