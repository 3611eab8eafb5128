from pathlib import Path

from refusal_parity.audit.learning import as_gold
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.labelling.classifier import train_further
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.storage import load, save
from refusal_parity.tables import HumanLabels, Prompts, read_table

with job("classifier", snakemake.log[0]) as say:
    human = as_gold(
        read_table(HumanLabels, Path(snakemake.input.human)),
        [Path(path) for path in snakemake.input.responses],
        read_table(Prompts, Path(snakemake.input.prompts)),
    )
    say(f"learning from {counted(len(human), 'response')} that people labelled, too")
    classifier = train_further(
        load(Path(snakemake.input.classifier)),
        read_gold([Path(path) for path in snakemake.input.gold]),
        human,
    )
    save(classifier, Path(snakemake.output.classifier))
