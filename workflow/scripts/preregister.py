from datetime import UTC, datetime
from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.counting import agreed, counted
from refusal_parity.guards.requests import open_prompts
from refusal_parity.inference.forecast import Folders
from refusal_parity.preregistration.files import write_preregistration
from refusal_parity.preregistration.record import record
from refusal_parity.preregistration.stages import stage_records
from refusal_parity.preregistration.standing import pinned_weights, responses_there
from refusal_parity.statistics.planning.lines import plan_lines
from refusal_parity.statistics.planning.staged import stage_lines
from refusal_parity.tables import Prompts, StudyDesign, read_table
from refusal_parity.workload import PromptCount

with job("pre-registration", snakemake.log[0]) as say:
    study = load_config(snakemake.config, where="the config")
    prompts = read_table(Prompts, Path(snakemake.input.prompts))
    folders = {
        key: Folders(*(path and Path(path) for path in paths))
        for key, paths in snakemake.params.folders.items()
    }
    there = responses_there(study, open_prompts(prompts), folders)
    arms = PromptCount.of_table(open_prompts(prompts)).arms
    plan = read_table(StudyDesign, Path(snakemake.input.plan))
    made = record(
        study,
        prompts,
        written_at=datetime.now(tz=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        plan=[
            *plan_lines(plan, study.analysis.dimensions, arms=arms),
            *stage_lines(study, arms=arms),
        ],
        weights=pinned_weights(study, folders),
        responses_before=there,
        stages=stage_records(study),
    )
    path, written = write_preregistration(made, Path(snakemake.params.folder))
    if written:
        say(f"wrote {path}: deposit a copy of it before responses are drawn")
    else:
        say(f"nothing changed since {path}: no other file was written")
    for key, number in there.items():
        if number is None:
            say(f"{key}: whether it has responses already cannot be told; the file says so")
        elif number:
            say(
                f"{key}: {counted(number, 'response')} {agreed(number, 'is', 'are')} there "
                "already, and the file says so"
            )
