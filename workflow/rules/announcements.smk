# What a run says before its jobs and after them.

import atexit
import contextlib
import time

if workflow.is_main_process:
    # Jobs announce nothing.
    from refusal_parity.inference.own_system_prompt import system_prompt_remarks
    from refusal_parity.inference.store.anew import wanted_anew
    from refusal_parity.pace import speeds
    from refusal_parity.workload import (
        JUDGE_KEY,
        weighing_lines,
        workload_lines,
        workloads,
    )

SUMMARY = f"{RESULTS}/summary.txt"
STARTED = time.time()


def at_the_end(say):
    """Let it have the last word: after Snakemake, which by then has left the study's folder."""
    folder = Path.cwd()

    def there():
        with contextlib.chdir(folder):
            say()

    atexit.register(there)


def folders_of(keys):
    """Where the files of models lie, of those that draw."""
    from refusal_parity.inference.forecast import Folders

    files = {key: model_files(STUDY.models[key]) for key in keys if ENGINE[key].draws}
    anew = {key: [] for key in files}
    for job in jobs_of_script("generate_responses.py"):
        if job.wildcards.model in anew:
            since = wanted_anew(job.rule.name, Path(job.output[0]))
            anew[job.wildcards.model].append(since)
    return {
        key: Folders(
            *(found.get(kind) and Path(found[kind]) for kind in ("folder", "adapter")),
            since=max(filter(None, anew[key]), default=None),
        )
        for key, found in files.items()
    }


def announcement():
    """What this run will ask models for, and what the study can hardly have meant."""
    made = files_of_this_run()
    asked = [key for key in MODELS if DRAWN.format(model=key) in made]
    if any(f"{RESULTS}/models/{key}/judge/answers.parquet" in made for key in MODELS):
        asked.append(JUDGE_KEY)
    remarks = [
        *CHECKED.remarks,
        *system_prompt_remarks(
            {
                key: (STUDY.models[key], Path(folder_of(STUDY.models[key].source)))
                for key in asked
                if key in MODELS and ENGINE[key].weights
            },
            STUDY.prompts.arms if STUDY.prompts.from_model is None else {},
        ),
    ]
    lines = [f"Note: {remark}." for remark in remarks]
    if STUDY.preference is not None and f"{RESULTS}/judge/answers.parquet" in made:
        from refusal_parity.preference.judge import judging_line

        lines.append(judging_line(STUDY.preference.judge_others))
    if CHECKED.prompts is not None:
        from refusal_parity.inference.forecast import stored_responses
        from refusal_parity.planned import planned_prompts

        drawn = [key for key in MODELS if key in asked]
        stored = stored_responses(STUDY, planned_prompts(STUDY), folders_of(drawn))
        loads = workloads(STUDY, CHECKED.prompts, stored)
        lines += workload_lines(
            [load for load in loads if load.model in asked],
            CHECKED.prompts,
            STUDY.samples,
            speeds(Path(LOGS), MODELS),
        )
        measured = [
            key
            for key in STUDY.weighed
            if f"{RESULTS}/models/{key}/propensity.parquet" in made
        ]
        lines += weighing_lines(measured, STUDY.continued, CHECKED.prompts)
    return lines


def announce_run():
    """Print it before the jobs."""
    for line in announcement():
        print(line, file=sys.stderr)


def announce_dry_run():
    """Print it after the jobs, where it is read."""
    if is_dry_run() and (lines := announcement()):
        print("", *lines, sep="\n")


def check_targets(folder):
    """Leave with a sentence where the command line asks for what no rule makes."""
    from refusal_parity.targets import target_fault

    for target in asked_for(folder):
        fault = target_fault(target, files_of_rules(), MODELS)
        if fault is not None:
            # Snakemake knows the rules, but not yet its targets: it would say less, later.
            sys.exit(fault)


def who(job):
    """The model or variant that a job is about, or what it does."""
    about = (job.wildcards.get(key) for key in ("model", "variant"))
    return next(filter(None, about), job.rule.name)


def print_stops():
    """Print what the jobs said last that somebody stopped in this run."""
    for job in all_jobs():
        for path in filter(Path.is_file, map(Path, job.log)):
            *_, last = path.read_text(encoding="utf-8").splitlines() or [""]
            _, _, said = last.partition(" ")
            if said.startswith("stopped by ") and path.stat().st_mtime >= STARTED:
                print(f"[{who(job)}] {said}", file=sys.stderr)


def print_summary():
    """Print the three lines that the report rule wrote, if it did so in this run."""
    if SUMMARY in files_of_this_run():
        print(Path(SUMMARY).read_text(encoding="utf-8").rstrip("\n"), file=sys.stderr)
