from datetime import UTC, datetime
from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.config.opened import Opening, opened_text, read_opened, stages_file
from refusal_parity.console import job
from refusal_parity.files import write_text
from refusal_parity.progress import progress_of
from refusal_parity.tables import Precision, read_tables

with job("stages", snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    rule, path = study.analysis.stop_when, stages_file(study)
    progress = progress_of(read_tables(Precision, map(Path, snakemake.input.precision)), rule)
    say(progress.standing())
    if progress.is_due:
        opening = Opening(
            stage=rule.stage + 1,
            at=datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            aim=rule.half_width,
            half_widths=dict(progress.present.half_widths),
        )
        write_text(path, opened_text(rule, read_opened(path), opening))
        say(f"opened stage {opening.stage}, as {path} says: run the study to draw it")
    else:
        say("no further stage is opened")
