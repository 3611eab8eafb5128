from pathlib import Path

from refusal_parity.config import SamplingConfig, VllmModel
from refusal_parity.console import job
from refusal_parity.inference.responses import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.inference.shards import take_shard
from refusal_parity.tables import Prompts, read_table

# The rule of a shard is this script's too.
shard, shards = (int(snakemake.wildcards.get(key, 1)) for key in ("shard", "shards"))
adapter = snakemake.input.get("adapter")

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    prompts = take_shard(
        read_table(Prompts, Path(snakemake.input.prompts)), shard=shard, shards=shards
    )
    run_job(
        InferenceJob(
            key=snakemake.wildcards.model,
            model=VllmModel.model_validate(snakemake.params.model),
            folder=Path(snakemake.input.folder),
            samples=snakemake.params.samples,
            sampling=SamplingConfig.model_validate(snakemake.params.sampling),
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
        ),
        prompts,
        Path(snakemake.output.responses),
        say=say,
    )
