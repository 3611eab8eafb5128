from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.guards.answers import guard_questions, guard_sampling
from refusal_parity.guards.requests import guarded_requests
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.inference.store.anew import wanted_anew
from refusal_parity.inference.store.responses import STORE
from refusal_parity.tables import Prompts, read_table

key = snakemake.wildcards.guard
study = load_config(snakemake.config, where="the config")
guard = study.guards[key]
output = Path(snakemake.output.answers)
adapter = snakemake.input.get("adapter")

with job(f"guard {key}", snakemake.log[0]) as say:
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    run_job(
        InferenceJob(
            key=key,
            model=guard.model,
            folder=Path(snakemake.input.get("folder", "")),
            samples=1,
            sampling=guard_sampling(guard),
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
            store=Path(study.results) / STORE,
            since=wanted_anew(snakemake.rule, output),
        ),
        guard_questions(guarded_requests(prompts, study.prompts.arms, key), guard),
        output,
        say=say,
    )
