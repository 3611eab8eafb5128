from pathlib import Path

from refusal_parity.console import job
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.shards import gather_shards
from refusal_parity.tables import Prompts, read_table

with job(snakemake.wildcards.model, snakemake.log[0]):
    gather_shards(
        [Path(path) for path in snakemake.input.shards],
        open_prompts(read_table(Prompts, Path(snakemake.input.prompts))),
        Path(snakemake.output.responses),
    )
