from pathlib import Path

from refusal_parity.config import SamplingConfig, load_config
from refusal_parity.console import job
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.inference.store.responses import STORE
from refusal_parity.tables import Prompts, read_table

with job("asking again", snakemake.log[0]) as say:
    if not snakemake.params.tables:
        say("no model of this study is behind a server: nothing is asked again")
    study = load_config(snakemake.config, where="the config")
    prompts = open_prompts(read_table(Prompts, Path(snakemake.input.prompts)))
    for key, table in ((key, Path(path)) for key, path in snakemake.params.tables.items()):
        if not table.exists():
            say(f"{key}: no responses yet: run without this target")
            continue
        say(f"{key}:")
        run_job(
            InferenceJob(
                key=key,
                model=study.models[key],
                samples=snakemake.params.samples,
                sampling=SamplingConfig.model_validate(snakemake.params.sampling),
                store=Path(study.results) / STORE,
                again=True,
            ),
            prompts,
            table,
            say=say,
        )
