from pathlib import Path

from refusal_parity.console import job
from refusal_parity.inference.imports import describe, read_responses, refuse_strangers
from refusal_parity.tables import Prompts, Responses, read_table, write_table

model = snakemake.wildcards.model
file = Path(snakemake.input.file)
with job(model, snakemake.log[0]) as say:
    study = read_responses(file, layout=snakemake.params.format, model=model)
    refuse_strangers(study, read_table(Prompts, Path(snakemake.input.prompts)), file)
    write_table(
        study.responses,
        Responses,
        Path(snakemake.output.responses),
        metadata=describe(file, layout=snakemake.params.format),
    )
    say(f"{len(study.responses):,} responses")
