from pathlib import Path

from refusal_parity.console import job
from refusal_parity.labelling.labels import Labeller
from refusal_parity.labelling.storage import load
from refusal_parity.labelling.tally import Tally
from refusal_parity.tables import (
    HumanLabels,
    Labels,
    Prompts,
    Responses,
    empty,
    read_parts,
    read_table,
    write_parts,
)

PART = 20_000

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    classifier, human = snakemake.input.classifier, snakemake.input.human
    labeller = Labeller(
        prompts=read_table(Prompts, Path(snakemake.input.prompts)),
        classifier=load(Path(classifier)) if classifier else None,
        method=snakemake.params.method,
        abstain_below=snakemake.params.abstain_below,
        human=read_table(HumanLabels, Path(human)) if human else empty(HumanLabels),
    )
    parts = read_parts(Responses, Path(snakemake.input.responses), PART)
    tally = Tally()
    write_parts(tally.counting(map(labeller.label, parts)), Labels, Path(snakemake.output.labels))
    say(tally.sentence())
