from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.expansion import write_prompts
from refusal_parity.prompts import read_stimuli
from refusal_parity.stages import at_stage
from refusal_parity.stimuli_remarks import direction_twins

with job("prompts", snakemake.log[0]) as say:
    stimuli = read_stimuli(
        [Path(path) for path in snakemake.input.templates],
        Path(snakemake.input.names),
        group_column=snakemake.params.group_column,
    )
    stimuli = at_stage(stimuli, load_config(snakemake.config, where="the config").analysis)
    for twin in direction_twins(stimuli.names):
        say(f"WARNING {twin}")
    prompts = write_prompts(
        stimuli.templates,
        stimuli.names,
        snakemake.params.arms,
        Path(snakemake.output.prompts),
    )
    say(counted(prompts, "prompt"))
