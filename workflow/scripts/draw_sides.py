from pathlib import Path

from refusal_parity.audit.files import hand_out, samples_handed_out
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig, load_config
from refusal_parity.console import job
from refusal_parity.labelling.known_labels import KnowingClassifier
from refusal_parity.labelling.storage import load
from refusal_parity.layout import LABEL_STORE
from refusal_parity.preference.pairs import PART
from refusal_parity.preference.people import predicted_sides, rarest_group
from refusal_parity.tables import AuditSample, Mentions, Pairs, read_parts, read_table, write_table

with job("human sample", snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    store = Path(study.results) / LABEL_STORE
    classifier = KnowingClassifier(load(Path(snakemake.input.classifier)), store, say=say)
    groups = rarest_group(
        read_table(Mentions, Path(snakemake.input.mentions)),
        mentioned_in=snakemake.params.mentioned_in,
    )
    parts = read_parts(Pairs, Path(snakemake.input.pairs), PART)
    predicted = predicted_sides(parts, classifier, groups)
    human = HumanConfig.model_validate(snakemake.params.human)
    output = Path(snakemake.output.sample)
    noted = output.with_name("handed_out")
    sample = draw_sample(predicted, human, samples_handed_out(noted))
    hand_out(sample, noted, output.with_name("to_label"), say=say)
    write_table(sample, AuditSample, output)
    classifier.note_use(output)
