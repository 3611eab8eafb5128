from snakemake.utils import min_version

min_version("9.27")

# A study given by --configfile replaces the demo study rather than being
# merged with it.
if "study" not in config:

    configfile: "config/config.yaml"


include: "workflow/rules/package.smk"


report: "workflow/report/workflow.rst"


include: "workflow/rules/internals.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/upstream.smk"
include: "workflow/rules/announcements.smk"
include: "workflow/rules/cluster.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/labelling.smk"
include: "workflow/rules/people.smk"


if STUDY.preference is not None:

    include: "workflow/rules/preference.smk"
    include: "workflow/rules/preference_people.smk"
    include: "workflow/rules/preference_judging.smk"

else:

    include: "workflow/rules/prompts.smk"

    if STUDY.train is not None:

        include: "workflow/rules/training.smk"
    include: "workflow/rules/inference.smk"
    include: "workflow/rules/openings.smk"
    include: "workflow/rules/guards.smk"
    include: "workflow/rules/judging.smk"
    include: "workflow/rules/audit.smk"
    include: "workflow/rules/analysis.smk"
    include: "workflow/rules/design.smk"

    if STUDY.analysis.stop_when is not None:

        include: "workflow/rules/stages.smk"


include: "workflow/rules/report.smk"


localrules:
    all,


rule all:
    default_target: True
    input:
        f"{RESULTS}/report.html",


if workflow.is_main_process:
    check_targets(Path(str(workflow.current_basedir)).resolve())
    # At exit, so that it is the last thing to be read.
    at_the_end(announce_dry_run)


onstart:
    announce_run()
    start_on_cluster()


onsuccess:
    at_the_end(print_summary)


onerror:
    explain_failures()
    at_the_end(print_stops)
