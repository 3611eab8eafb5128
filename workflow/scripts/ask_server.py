from pathlib import Path

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.console import job
from refusal_parity.inference.asking import ServerJob, ask_server
from refusal_parity.tables import Prompts, read_table

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    ask_server(
        ServerJob(
            key=snakemake.wildcards.model,
            model=OpenAIModel.model_validate(snakemake.config["models"][snakemake.wildcards.model]),
            samples=snakemake.params.samples,
            sampling=SamplingConfig.model_validate(snakemake.params.sampling),
        ),
        read_table(Prompts, Path(snakemake.input.prompts)),
        Path(snakemake.output.responses),
        say=say,
    )
