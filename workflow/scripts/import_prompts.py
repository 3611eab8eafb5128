from pathlib import Path

from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.inference.released_study import read_responses
from refusal_parity.tables import Prompts, write_table

with job("prompts", snakemake.log[0]) as say:
    study = read_responses(
        Path(snakemake.input.file), layout=snakemake.params.format, model="prompts"
    )
    write_table(study.prompts, Prompts, Path(snakemake.output.prompts))
    say(counted(len(study.prompts), "prompt"))
