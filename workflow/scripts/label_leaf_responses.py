from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.labelling.known_labels import KnowingClassifier
from refusal_parity.labelling.labels import Labeller
from refusal_parity.labelling.storage import load
from refusal_parity.labelling.tally import Tally
from refusal_parity.layout import LABEL_STORE
from refusal_parity.openings.labelling import label_leaves
from refusal_parity.tables import (
    LeafHumanLabels,
    LeafLabels,
    LeafResponses,
    Prompts,
    empty,
    read_table,
    write_parts,
)

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    file = snakemake.input.classifier
    store = Path(load_config(snakemake.config, where="the config").results) / LABEL_STORE
    classifier = KnowingClassifier(load(Path(file)), store, say=say) if file else None
    labeller = Labeller(
        prompts=read_table(Prompts, Path(snakemake.input.prompts)),
        classifier=classifier,
        method=snakemake.params.method,
        abstain_below=snakemake.params.abstain_below,
    )
    human = snakemake.input.human
    labels = label_leaves(
        read_table(LeafResponses, Path(snakemake.input.responses)),
        labeller,
        read_table(LeafHumanLabels, Path(human)) if human else empty(LeafHumanLabels),
    )
    tally = Tally()
    output = Path(snakemake.output.labels)
    write_parts(tally.counting([labels]), LeafLabels, output)
    if classifier is not None:
        classifier.note_use(output)
    say(tally.sentence())
