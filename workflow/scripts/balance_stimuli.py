from pathlib import Path

import polars as pl

from refusal_parity.config import AnalysisConfig
from refusal_parity.console import job
from refusal_parity.statistics.balance import COUNTED, balance
from refusal_parity.tables import Prompts, Responses, Stimuli, read_parts, read_table, write_table

with job("stimuli", snakemake.log[0]):
    responses = pl.concat(
        part.unique(["model", "prompt_id"], keep="first", maintain_order=True)
        for path in map(Path, snakemake.input.responses)
        for part in read_parts(Responses, path, 1_000_000, columns=list(COUNTED))
    )
    table = balance(
        read_table(Prompts, Path(snakemake.input.prompts)),
        responses,
        AnalysisConfig.model_validate(snakemake.params.analysis),
    )
    write_table(table, Stimuli, Path(snakemake.output.stimuli))
