# What a design can find: planned, measured, registered.


localrules:
    gather_design,
    plan_study,
    preregister,


rule measure_design:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
        propensity=lambda wildcards: weighed_table(wildcards, "propensity"),
    output:
        design=f"{MODEL_RESULTS}/design.parquet",
    log:
        f"{LOGS}/measure_design/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(10),
    params:
        analysis=ANALYSIS,
        weighable=lambda wildcards: wildcards.model in STUDY.weighable,
    message:
        "Working out what differences the responses of {wildcards.model} can show"
    script:
        f"{SCRIPTS}/measure_design.py"


rule gather_design:
    input:
        expand(f"{MODEL_RESULTS}/design.parquet", model=MODELS),
    output:
        f"{RESULTS}/design.parquet",
    log:
        f"{LOGS}/gather_design.log",
    conda:
        ANALYSIS_ENV
    params:
        table="design",
    message:
        f"Gathering what the designs of {', '.join(MODELS)} can show"
    script:
        f"{SCRIPTS}/gather_tables.py"


rule plan_study:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
    output:
        plan=f"{RESULTS}/plan.parquet",
    log:
        f"{LOGS}/plan_study.log",
    conda:
        ANALYSIS_ENV
    params:
        # Read from the config itself; what is named here makes another plan.
        folders=lambda wildcards: model_folders(),
        analysis=given(STUDY.analysis, "selfcheck", "selfcheck_outcomes", "stop_when"),
        samples=STUDY.samples,
        sampling=given(STUDY.sampling),
        models={key: given(model) for key, model in STUDY.models.items()},
        labelling=given(STUDY.labelling),
    message:
        "Working out what differences the design would find"
    script:
        f"{SCRIPTS}/plan_study.py"


# A target, never part of a plan: without an output it runs whenever it is named.
rule preregister:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        plan=f"{RESULTS}/plan.parquet",
    log:
        f"{LOGS}/preregister.log",
    conda:
        ANALYSIS_ENV
    params:
        folder=lambda wildcards: RESULTS,
        folders=lambda wildcards: model_folders(),
    message:
        "Registering what the study will do"
    script:
        f"{SCRIPTS}/preregister.py"
