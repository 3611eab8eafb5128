from pathlib import Path

from refusal_parity.console import job
from refusal_parity.expansion import write_prompts
from refusal_parity.prompts import direction_twins, read_names, read_templates

with job("prompts", snakemake.log[0]) as say:
    names = read_names(Path(snakemake.input.names), group_column=snakemake.params.group_column)
    for twin in direction_twins(names):
        say(f"WARNING {twin}")
    prompts = write_prompts(
        read_templates(Path(snakemake.input.templates)),
        names,
        snakemake.params.arms,
        Path(snakemake.output.prompts),
    )
    say(f"{prompts:,} prompts")
