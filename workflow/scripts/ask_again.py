from pathlib import Path

from refusal_parity.config import OpenAIModel, SamplingConfig
from refusal_parity.console import job
from refusal_parity.inference.asking import ServerJob, ask_server
from refusal_parity.tables import Prompts, read_table

with job("asking again", snakemake.log[0]) as say:
    if not snakemake.params.tables:
        say("no model of this study is behind a server: nothing is asked again")
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    for key, folder in snakemake.params.tables.items():
        table = Path(folder) / "responses.parquet"
        if not table.exists():
            say(f"{key}: no responses yet: run without this target")
            continue
        say(f"{key}:")
        ask_server(
            ServerJob(
                key=key,
                model=OpenAIModel.model_validate(snakemake.config["models"][key]),
                samples=snakemake.params.samples,
                sampling=SamplingConfig.model_validate(snakemake.params.sampling),
            ),
            prompts,
            table,
            say=say,
            again=True,
        )
