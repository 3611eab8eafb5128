from pathlib import Path

from refusal_parity.audit.learning import as_gold
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.labelling.classifier import train_further
from refusal_parity.labelling.gold import read_gold
from refusal_parity.labelling.storage import load, save
from refusal_parity.preference.pairs import PART
from refusal_parity.preference.people import sides_as_gold
from refusal_parity.tables import (
    Conversations,
    HumanLabels,
    Pairs,
    Prompts,
    read_parts,
    read_table,
)

with job("classifier", snakemake.log[0]) as say:
    given = snakemake.input
    people = read_table(HumanLabels, Path(given.human))
    if given.get("pairs"):
        human = sides_as_gold(
            people,
            read_parts(Pairs, Path(given.pairs), PART),
            read_table(Conversations, Path(given.conversations)),
        )
    else:
        human = as_gold(
            people,
            [Path(path) for path in given.responses],
            read_table(Prompts, Path(given.prompts)),
        )
    say(f"learning from {counted(len(human), 'response')} that people labelled, too")
    classifier = train_further(
        load(Path(snakemake.input.classifier)),
        read_gold([Path(path) for path in snakemake.input.gold]),
        human,
    )
    save(classifier, Path(snakemake.output.classifier))
