# It writes a few lines, which a cluster need not be asked for.
localrules:
    next_stage,


rule measure_precision:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
        templates=STUDY.prompts.template_files,
        names=STUDY.prompts.names,
    output:
        precision=f"{MODEL_RESULTS}/precision.parquet",
    log:
        f"{LOGS}/measure_precision/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(10),
    params:
        analysis=given(STUDY.analysis, "selfcheck", "selfcheck_outcomes", "assumed"),
        stage=STUDY.analysis.stop_when.stage,
    message:
        "Measuring how precisely differences of {wildcards.model} are known"
    script:
        f"{SCRIPTS}/measure_precision.py"


# A target, never part of a plan: without an output it runs whenever it is named.
rule next_stage:
    input:
        precision=expand(f"{MODEL_RESULTS}/precision.parquet", model=MODELS),
    log:
        f"{LOGS}/next_stage.log",
    conda:
        ANALYSIS_ENV
    message:
        "Deciding whether another stage is due"
    script:
        f"{SCRIPTS}/next_stage.py"
