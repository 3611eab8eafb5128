from pathlib import Path

from refusal_parity.console import job
from refusal_parity.prompts import expand, read_names, read_templates
from refusal_parity.tables import Prompts, write_table

with job("prompts", snakemake.log[0]) as say:
    prompts = expand(
        read_templates(Path(snakemake.input.templates)),
        read_names(Path(snakemake.input.names), group_column=snakemake.params.group_column),
        snakemake.params.arms,
    )
    write_table(prompts, Prompts, Path(snakemake.output.prompts))
    say(f"{len(prompts):,} prompts")
