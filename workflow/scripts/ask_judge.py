from pathlib import Path

from refusal_parity.config import LabellingConfig, OpenAIModel
from refusal_parity.console import job
from refusal_parity.inference.asking import ServerJob, ask_server
from refusal_parity.inference.responses import InferenceJob
from refusal_parity.inference.running import run_job
from refusal_parity.judging.questions import ANSWER_SCHEMA, judge_questions, judge_sampling
from refusal_parity.tables import Prompts, Responses, read_table

adapter = snakemake.input.get("adapter")

with job(f"judge of {snakemake.wildcards.model}", snakemake.log[0]) as say:
    questions = judge_questions(
        read_table(Responses, Path(snakemake.input.responses)),
        read_table(Prompts, Path(snakemake.input.prompts)),
    )
    labelling = LabellingConfig.model_validate(snakemake.config["labelling"])
    judge = labelling.judge
    asked = {
        "key": "judge",
        "samples": 1,
        "sampling": judge_sampling(labelling.judge_max_tokens),
        "schema": ANSWER_SCHEMA,
    }
    output = Path(snakemake.output.answers)
    if isinstance(judge, OpenAIModel):
        ask_server(ServerJob(model=judge, **asked), questions, output, say=say)
    else:
        local = InferenceJob(
            model=judge,
            folder=Path(snakemake.input.folder),
            adapter=Path(adapter) if adapter else None,
            threads=snakemake.threads,
            **asked,
        )
        run_job(local, questions, output, say=say)
