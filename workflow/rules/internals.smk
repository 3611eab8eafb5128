# All that the workflow asks of Snakemake beyond its documented language. Of each version that
# is known to answer, tests/workflow/test_internals.py has the name; the functions are tried
# there on a workflow of three jobs.


def all_jobs():
    """Every job of this run's plan, those that need not run too."""
    return list(workflow.dag.jobs)


def jobs_of_script(name):
    """Jobs of this run's plan whose rules run this script, whatever a module calls them."""
    return [job for job in all_jobs() if Path(job.rule.script or "").name == name]


def files_of_this_run():
    """Files that jobs of this run make, or have made; none where it only touches them."""
    if workflow.touch:
        return set()
    needed = filter(workflow.dag.needrun, workflow.dag.jobs)
    return {str(file) for job in needed for file in job.output}


def is_dry_run():
    """Whether this run has made a plan and goes no further."""
    return workflow.dryrun and workflow._dag is not None


def is_whole_workflow():
    """Whether this workflow is the one that runs, and no module of another."""
    return workflow.modifier.is_main_snakefile()


def make_by_default(rule):
    """Make a rule the target of a run that names none, unless this is another's module."""
    if is_whole_workflow():
        workflow.default_target = rule


def jobs_to_submit():
    """Jobs of this run that are neither done nor done here, in the process that submits."""
    return [job for job in workflow.dag.needrun_jobs() if not job.is_local]


def resources_of_last_attempt(job):
    """What a job asks for when it is tried for the last time."""
    return job.rule.expand_resources(
        job.wildcards_dict,
        job.input,
        attempt=1 + job.restart_times,
        skip_evaluation={"tmpdir"},
    )


def executor_name():
    """Name of the plugin that runs jobs, such as `local` or `slurm`."""
    return workflow.executor_plugin.name


def executor_settings():
    """What the plugin that runs jobs was told."""
    return workflow.executor_settings


def run_uuid(job):
    """Name of this run, which the cluster's jobs carry."""
    return workflow.scheduler.get_executor(job).run_uuid


def change_default_resources(change):
    """Let a function change the run's default resources; a run on this machine has none."""
    if workflow.resource_settings.default_resources is not None:
        workflow.resource_settings.default_resources = change(
            workflow.resource_settings.default_resources
        )


def forced_to_run():
    """Names of rules and files that the command line says must run, or `*` for all."""
    settings = workflow.dag_settings
    if settings.forceall:
        return ["*"]
    targets = settings.targets if settings.forcetargets else []
    return sorted({*map(str, settings.forcerun), *map(str, targets)})


def asked_for(folder):
    """Targets of the command line, where the workflow of this folder is the whole one."""
    whole = Path(workflow.basedir).resolve() in {folder, folder / "workflow"}
    if not whole or Path(sys.argv[0]).name != "snakemake":
        return []
    from snakemake.cli import get_argument_parser

    return get_argument_parser().parse_known_args()[0].targets


def files_of_rules():
    """Path and regular expression of each file that a rule makes, by the rule's name."""
    return {
        each.name: [(str(file), file.regex()) for file in each.products()]
        for each in workflow.rules
    }
