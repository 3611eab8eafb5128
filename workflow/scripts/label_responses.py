from pathlib import Path

from refusal_parity.console import job
from refusal_parity.labelling.labels import label_responses
from refusal_parity.labelling.storage import load
from refusal_parity.tables import Labels, Prompts, Responses, read_table, write_table

with job(snakemake.wildcards.model, snakemake.log[0]) as say:
    classifier = snakemake.input.classifier
    labels = label_responses(
        read_table(Responses, Path(snakemake.input.responses)),
        read_table(Prompts, Path(snakemake.input.prompts)),
        load(Path(classifier)) if classifier else None,
        snakemake.params.method,
        jobs=snakemake.threads,
    )
    write_table(labels, Labels, Path(snakemake.output.labels))
    say(f"{labels['label'].count():,} of {len(labels):,} responses labelled")
