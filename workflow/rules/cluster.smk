import os

from snakemake.logging import logger

from refusal_parity.config import Site, find_site, load_site

if workflow.is_main_process:
    # Jobs submit nothing.
    from refusal_parity.cluster.granting import Wanted
    from refusal_parity.cluster.preflight import Submission, check_cluster
    from refusal_parity.cluster.probe import Need, check_offline
    from refusal_parity.cluster.runs import note_run
    from refusal_parity.workload import threads_to_test

SITE_FILE = find_site(Path(str(workflow.current_basedir)).parents[1])

try:
    # Another workflow that uses this one as a module may have no such file.
    SITE = load_site(SITE_FILE) if SITE_FILE.exists() else Site()
except InputError as error:
    sys.exit(f"{error}")


def site_resources(given):
    """What the site adds for rules that say nothing of their own.

    Args:
        given: the run's --default-resources, which come first.
    """
    asked = {
        "slurm_account": SITE.account,
        "slurm_partition": SITE.partition,
        "nodes": 1,
        # Snakemake submits again what failed. If SLURM did so too, two jobs
        # would write the same rows.
        "slurm_extra": "--no-requeue",
    }
    for name, resource in asked.items():
        if resource is not None:
            given.setdefault(name, resource)
    if SITE.scratch is not None:
        given["tmpdir"] = SITE.scratch
    return given


change_default_resources(site_resources)


def minutes(first):
    """A job's time limit: longer in each attempt, up to what the site grants."""
    return lambda wildcards, attempt: SITE.limited(first * attempt)


def threads_of_statistics(wildcards):
    """Threads of a job that tests a model: more where there are many responses."""
    # A job that was submitted takes what it was given: SLURM starts no step of more.
    if not workflow.is_main_process:
        return int(os.environ.get("SLURM_CPUS_PER_TASK", 1))
    return threads_to_test(CHECKED.prompts, STUDY.samples)


# The run that this process submits to, once it does.
SLURM_RUNS = []


def wanted(job):
    """What the last attempt of a job asks for, which is the most."""
    asked = resources_of_last_attempt(job)
    return Wanted(
        who=who(job),
        partition=asked.get("slurm_partition") or None,
        account=asked.get("slurm_account") or None,
        gpus=asked.get("gpu", 0),
        gpu_model=asked.get("gpu_model") or None,
        cpus=job.threads,
        mem_mb=asked.mem_mb,
        runtime=asked.runtime,
    )


def fetched_folder(key):
    """Where the weights of this model lie, None where it has none or they are not fetched yet."""
    folder = (
        Path(folder_of(STUDY.models[key].source))
        if key in STUDY.models and ENGINE[key].weights
        else None
    )
    return folder if folder is not None and folder.exists() else None


def needs(jobs):
    """What jobs use that a node may not see."""
    yield Need(Path.cwd(), "write to", "the folder that Snakemake was started in")
    yield Need(Path(workflow.main_snakefile), "read", "the repository")
    yield Need(Path(sys.executable), "run", "Python")
    if SITE.scratch is not None:
        yield Need(Path(SITE.scratch), "write to", f"{SITE_FILE}, scratch")
    for key in dict.fromkeys(job.wildcards.get("model") for job in jobs):
        folder = fetched_folder(key)
        if folder is not None:
            yield Need(folder / "config.json", "read", f"models.{key}.source")


def start_on_cluster():
    """Check the cluster before anything is submitted, and remember the run."""
    jobs = jobs_to_submit()
    if executor_name() != "slurm" or not jobs:
        return
    understand_cancelled_by()
    settings = executor_settings()
    submission = Submission(
        wanted=[wanted(job) for job in jobs],
        needs=list(needs(jobs)),
        results=Path(RESULTS),
        site=SITE_FILE,
        status_command=settings.status_command,
        first_look_s=settings.init_seconds_before_status_checks,
    )
    try:
        check_cluster(submission, say=logger.warning)
        for key in {job.wildcards.get("model") for job in jobs}:
            folder = fetched_folder(key)
            if folder is not None:
                check_offline(
                    folder, trust_remote_code=STUDY.models[key].trust_remote_code
                )
        SLURM_RUNS.append(run_uuid(jobs[0]))
        note_run(Path(RESULTS), SLURM_RUNS[-1])
    except InputError as error:
        raise WorkflowError(str(error)) from None


def explain_failures():
    """Say at the end, once for each job that failed, why it did and what to do."""
    if not SLURM_RUNS:
        return
    # Slow to import, and a run that ends well does without.
    from refusal_parity.cluster.accounting import record_jobs
    from refusal_parity.cluster.endings import failed_jobs, sentence

    results = Path(RESULTS)
    logs = {job_key(job.rule.name, job.wildcards): job.log for job in all_jobs()}
    jobs = record_jobs(results, results / "jobs.parquet", say=logger.error)
    for row in failed_jobs(jobs, SLURM_RUNS[-1]):
        by_slurm = Path(".snakemake/slurm_logs").rglob(f"{row['job_id']}.log")
        logger.error(
            sentence(row, [*logs.get(job_key(row["rule"], row), []), *by_slurm])
        )


def job_key(rule, wildcards):
    shard = wildcards.get("shard")
    model = wildcards.get("model") or wildcards.get("variant")
    return rule, model, None if shard is None else int(shard)
