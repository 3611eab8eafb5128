from pathlib import Path

from refusal_parity.config import SamplingConfig, load_config
from refusal_parity.console import job
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.inference.shards import take_shard
from refusal_parity.inference.store.anew import wanted_anew
from refusal_parity.inference.store.responses import STORE
from refusal_parity.tables import Prompts, read_table

# Rules of every engine, and of a shard, have this script.
key = snakemake.wildcards.model
shard, shards = (int(snakemake.wildcards.get(part, 1)) for part in ("shard", "shards"))
adapter = snakemake.input.get("adapter")

study = load_config(snakemake.config, where="the config")
output = Path(snakemake.output.responses)

with job(key, snakemake.log[0]) as say:
    prompts = take_shard(
        open_prompts(read_table(Prompts, Path(snakemake.input.prompts))), shard=shard, shards=shards
    )
    run_job(
        InferenceJob(
            key=key,
            model=study.models[key],
            folder=Path(snakemake.input.get("folder", "")),
            samples=snakemake.params.samples,
            sampling=SamplingConfig.model_validate(snakemake.params.sampling),
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
            store=Path(study.results) / STORE,
            since=wanted_anew(snakemake.rule, output),
        ),
        prompts,
        output,
        say=say,
    )
