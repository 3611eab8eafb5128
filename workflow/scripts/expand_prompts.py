from pathlib import Path

from refusal_parity.console import job
from refusal_parity.expansion import write_prompts
from refusal_parity.prompts import read_names, read_templates

with job("prompts", snakemake.log[0]) as say:
    prompts = write_prompts(
        read_templates(Path(snakemake.input.templates)),
        read_names(Path(snakemake.input.names), group_column=snakemake.params.group_column),
        snakemake.params.arms,
        Path(snakemake.output.prompts),
    )
    say(f"{prompts:,} prompts")
