from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.expansion import list_prompts
from refusal_parity.listed import read_list
from refusal_parity.tables import Prompts, write_table

with job("prompts", snakemake.log[0]) as say:
    listed = read_list(
        Path(snakemake.input.list),
        snakemake.params.columns,
        sheet=snakemake.params.sheet,
        compared=load_config(snakemake.config, where="the config").analysis.dimensions,
    )
    prompts = list_prompts(listed, snakemake.params.arms)
    write_table(prompts, Prompts, Path(snakemake.output.prompts))
    say(counted(len(prompts), "prompt"))
