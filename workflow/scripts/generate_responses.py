from pathlib import Path

from refusal_parity.config import SamplingConfig, VllmModel
from refusal_parity.console import job
from refusal_parity.inference.responses import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.tables import Prompts, read_table

adapter = snakemake.input.get("adapter")

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
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
        read_table(Prompts, Path(snakemake.input.prompts)),
        Path(snakemake.output.responses),
        say=say,
    )
