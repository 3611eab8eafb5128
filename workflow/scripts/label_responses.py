from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.guards.applying import labels_of_twins
from refusal_parity.labelling.known_labels import KnowingClassifier
from refusal_parity.labelling.labels import Labeller
from refusal_parity.labelling.storage import load
from refusal_parity.labelling.tally import Tally
from refusal_parity.layout import LABEL_STORE
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
    file, human = snakemake.input.classifier, snakemake.input.human
    store = Path(load_config(snakemake.config, where="the config").results) / LABEL_STORE
    classifier = KnowingClassifier(load(Path(file)), store, say=say) if file else None
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    people = read_table(HumanLabels, Path(human)) if human else empty(HumanLabels)
    labeller = Labeller(
        prompts=prompts,
        classifier=classifier,
        method=snakemake.params.method,
        abstain_below=snakemake.params.abstain_below,
        human=labels_of_twins(people, prompts),
    )
    parts = read_parts(Responses, Path(snakemake.input.responses), PART)
    tally = Tally()
    output = Path(snakemake.output.labels)
    write_parts(tally.counting(map(labeller.label, parts)), Labels, output)
    if classifier is not None:
        classifier.note_use(output)
    say(tally.sentence())
