from pathlib import Path

from refusal_parity.config import ImportModel
from refusal_parity.console import job
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.import_rows import refuse_too_many
from refusal_parity.inference.imports import describe, import_responses
from refusal_parity.inference.warned import Warned
from refusal_parity.tables import Prompts, Responses, read_table, write_table

file = Path(snakemake.input.file)
source = ImportModel.model_validate(snakemake.params.model)
with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    heard = Warned(say)
    prompts = open_prompts(read_table(Prompts, Path(snakemake.input.prompts)))
    responses = import_responses(file, source, prompts, model=snakemake.wildcards.model, say=heard)
    refuse_too_many(responses, prompts, snakemake.params.samples, file)
    write_table(
        responses,
        Responses,
        Path(snakemake.output.responses),
        metadata=describe(file, layout=source.format, warnings=heard.warnings),
    )
