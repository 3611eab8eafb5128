from pathlib import Path

from refusal_parity.config import load_config
from refusal_parity.console import job
from refusal_parity.counting import counted
from refusal_parity.inference.job import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.inference.store.anew import wanted_anew
from refusal_parity.inference.store.responses import STORE
from refusal_parity.judging.questions import (
    answer_schema,
    asked_besides,
    judge_questions,
    judge_sampling,
    judge_tokens,
)
from refusal_parity.tables import Prompts, Responses, read_table

study = load_config(snakemake.config, where="the config")
labelling, besides = study.labelling, asked_besides(study.analysis)
output = Path(snakemake.output.answers)
adapter = snakemake.input.get("adapter")

with job(f"judge of {snakemake.wildcards.model}", snakemake.log[0]) as say:
    responses = read_table(Responses, Path(snakemake.input.responses))
    questions = judge_questions(
        responses, read_table(Prompts, Path(snakemake.input.prompts)), besides
    )
    say(f"{counted(len(questions), 'question')} about {counted(len(responses), 'response')}")
    run_job(
        InferenceJob(
            key="judge",
            model=labelling.judge,
            folder=Path(snakemake.input.get("folder", "")),
            samples=labelling.judge_draws,
            sampling=judge_sampling(judge_tokens(labelling, besides), labelling.judge_draws),
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
            store=Path(study.results) / STORE,
            since=wanted_anew(snakemake.rule, output),
            schema=answer_schema(besides),
        ),
        questions,
        output,
        say=say,
    )
