from pathlib import Path

from refusal_parity.console import job
from refusal_parity.labelling.storage import load
from refusal_parity.preference.pairs import PART
from refusal_parity.preference.sides import label_sides
from refusal_parity.tables import (
    Conversations,
    Pairs,
    Sides,
    read_parts,
    read_table,
    write_parts,
)

with job("sides", snakemake.log[0]):
    classifier = snakemake.input.classifier
    labeller = load(Path(classifier)) if classifier else None
    clusters = read_table(Conversations, Path(snakemake.input.conversations))
    parts = read_parts(Pairs, Path(snakemake.input.pairs), PART)
    labelled = (
        label_sides(part, labeller, abstain_below=snakemake.params.abstain_below, clusters=clusters)
        for part in parts
    )
    write_parts(labelled, Sides, Path(snakemake.output.sides))
