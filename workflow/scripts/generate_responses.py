from pathlib import Path

from refusal_parity.config import SamplingConfig, VllmModel
from refusal_parity.console import job
from refusal_parity.inference.responses import InferenceJob, describe, draw, plan_rows
from refusal_parity.inference.vllm_engine import start_engine
from refusal_parity.tables import Prompts, Responses, read_table, write_table

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    task = InferenceJob(
        key=snakemake.wildcards.model,
        model=VllmModel.model_validate(snakemake.params.model),
        folder=Path(snakemake.input.folder),
        samples=snakemake.params.samples,
        sampling=SamplingConfig.model_validate(snakemake.params.sampling),
    )
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    say("starting the engine")
    engine = start_engine(task.model, task.folder, task.sampling, threads=snakemake.threads)
    plan = plan_rows(engine, prompts, task)
    responses = draw(engine, plan, say=say)
    write_table(
        responses,
        Responses,
        Path(snakemake.output.responses),
        metadata=describe(engine, task),
    )
