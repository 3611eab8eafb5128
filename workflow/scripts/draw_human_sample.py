from pathlib import Path

from refusal_parity.audit.files import hand_out, samples_handed_out
from refusal_parity.audit.predicting import predicted_responses
from refusal_parity.audit.sampling import draw_sample
from refusal_parity.config import HumanConfig, load_config
from refusal_parity.console import job
from refusal_parity.dimensions import GROUP
from refusal_parity.factors import is_listed
from refusal_parity.guards.requests import open_prompts
from refusal_parity.labelling.known_labels import KnowingClassifier
from refusal_parity.labelling.storage import load
from refusal_parity.layout import LABEL_STORE
from refusal_parity.tables import (
    AuditSample,
    LeafResponses,
    LeafSample,
    Prompts,
    Responses,
    read_table,
    write_table,
)

leaves = snakemake.params.get("leaves", False)
drawn, sampled = (LeafResponses, LeafSample) if leaves else (Responses, AuditSample)

with job("human sample", snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    store = Path(study.results) / LABEL_STORE
    classifier = KnowingClassifier(load(Path(snakemake.input.classifier)), store, say=say)
    prompts = open_prompts(read_table(Prompts, Path(snakemake.input.prompts)))
    # Of a prompt list, strata are of what the study is about.
    primary = study.analysis.primary_family.dimension
    predicted = predicted_responses(
        [Path(path) for path in snakemake.input.responses],
        prompts,
        classifier,
        by=primary if is_listed(prompts) and primary in prompts.columns else GROUP.key,
        schema=drawn,
    )
    human = HumanConfig.model_validate(snakemake.params.human)
    if leaves:
        human = human.model_copy(update={"probability": human.leaves, "informative": 0})
    output = Path(snakemake.output.sample)
    prefix = "leaf_" if leaves else ""
    noted = output.with_name(f"{prefix}handed_out")
    if output.exists() and not noted.exists():
        # Of a release that drew once and noted nothing.
        write_table(read_table(AuditSample, output), AuditSample, noted / "0001.parquet")
    sample = draw_sample(predicted, human, samples_handed_out(noted, sampled), sampled)
    hand_out(sample, noted, output.with_name(f"{prefix}to_label"), say=say, schema=sampled)
    write_table(sample, sampled, output)
    classifier.note_use(output)
