localrules:
    balance_stimuli,
    overview_models,
    compare_models,
    gather_selfcheck,
    state_findings,


rule test_disparity:
    input:
        **PEOPLE,
        prompts=f"{RESULTS}/prompts.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
        responses=f"{MODEL_RESULTS}/responses.parquet",
        propensity=lambda wildcards: weighed_table(wildcards, "propensity"),
        weighed=lambda wildcards: weighed_table(wildcards, "weighed"),
        weighed_responses=lambda wildcards: (
            weighed_table(wildcards, "weighed_responses")
            if any(PEOPLE.values())
            else []
        ),
        judgements=f"{MODEL_RESULTS}/judge.parquet" if READ_BY_JUDGE else [],
    output:
        rates=f"{MODEL_RESULTS}/rates.parquet",
        lengths=f"{MODEL_RESULTS}/lengths.parquet",
        exclusions=f"{MODEL_RESULTS}/exclusions.parquet",
        losses=f"{MODEL_RESULTS}/losses.parquet",
        disparity=f"{MODEL_RESULTS}/disparity.parquet",
        interactions=f"{MODEL_RESULTS}/interactions.parquet",
        template_effects=f"{MODEL_RESULTS}/template_effects.parquet",
        pooled=f"{MODEL_RESULTS}/pooled.parquet",
        bounds=f"{MODEL_RESULTS}/bounds.parquet",
        cut_off=f"{MODEL_RESULTS}/cut_off.parquet",
        influence=f"{MODEL_RESULTS}/influence.parquet",
        quality=f"{MODEL_RESULTS}/quality.parquet" if MEASURES_ANSWERS else [],
        selfcheck=(
            f"{MODEL_RESULTS}/selfcheck.parquet" if STUDY.analysis.selfcheck else []
        ),
    log:
        f"{LOGS}/test_disparity/{{model}}.log",
    conda:
        ANALYSIS_ENV
    threads: threads_of_statistics
    resources:
        mem_mb=2000,
        runtime=minutes(60),
    params:
        analysis=given(STUDY.analysis, "assumed", "stop_when"),
    message:
        "Estimating rates and testing disparity of {wildcards.model}"
    script:
        f"{SCRIPTS}/test_disparity.py"


if STUDY.weighed:

    rule describe_propensity:
        input:
            **PEOPLE,
            prompts=f"{RESULTS}/prompts.parquet",
            propensity=f"{MODEL_RESULTS}/propensity.parquet",
            weighed=f"{MODEL_RESULTS}/weighed.parquet",
            responses=f"{MODEL_RESULTS}/weighed_responses.parquet",
            disparity=f"{MODEL_RESULTS}/disparity.parquet",
        output:
            propensity_levels=f"{MODEL_RESULTS}/propensity_levels.parquet",
            propensity_effects=f"{MODEL_RESULTS}/propensity_effects.parquet",
            propensity_checks=f"{MODEL_RESULTS}/propensity_checks.parquet",
        log:
            f"{LOGS}/describe_propensity/{{model}}.log",
        conda:
            ANALYSIS_ENV
        params:
            analysis=ANALYSIS,
        message:
            "Comparing refusal propensities of {wildcards.model}"
        script:
            f"{SCRIPTS}/describe_propensity.py"


rule balance_stimuli:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        responses=expand(f"{MODEL_RESULTS}/responses.parquet", model=MODELS),
    output:
        stimuli=f"{RESULTS}/stimuli.parquet",
    log:
        f"{LOGS}/balance_stimuli.log",
    conda:
        ANALYSIS_ENV
    params:
        analysis=ANALYSIS,
    message:
        "Comparing the names of the groups"
    script:
        f"{SCRIPTS}/balance_stimuli.py"


rule fit_mixed_models:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
    output:
        mixed_models=f"{MODEL_RESULTS}/mixed_models.parquet",
    log:
        f"{LOGS}/fit_mixed_models/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(60),
    params:
        analysis=ANALYSIS,
    message:
        "Fitting mixed models of {wildcards.model}"
    script:
        f"{SCRIPTS}/fit_mixed_models.py"


rule overview_models:
    input:
        rates=expand(f"{MODEL_RESULTS}/rates.parquet", model=MODELS),
        disparity=expand(f"{MODEL_RESULTS}/disparity.parquet", model=MODELS),
    output:
        overview=f"{RESULTS}/overview.parquet",
    log:
        f"{LOGS}/overview_models.log",
    conda:
        ANALYSIS_ENV
    message:
        f"Setting {', '.join(MODELS)} side by side"
    script:
        f"{SCRIPTS}/overview_models.py"


rule compare_models:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        labels=expand(f"{MODEL_RESULTS}/labels.parquet", model=MODELS),
    output:
        comparison=f"{RESULTS}/comparison.parquet",
    log:
        f"{LOGS}/compare_models.log",
    conda:
        ANALYSIS_ENV
    params:
        analysis=ANALYSIS,
        models=MODELS,
    message:
        f"Comparing {', '.join(MODELS)} prompt by prompt"
    script:
        f"{SCRIPTS}/compare_models.py"


if len(STUDY.prompts.arms) > 1:

    rule compare_safeguards:
        input:
            prompts=f"{RESULTS}/prompts.parquet",
            labels=expand(f"{MODEL_RESULTS}/labels.parquet", model=MODELS),
        output:
            rates=f"{RESULTS}/safeguard_rates.parquet",
            safeguards=f"{RESULTS}/safeguards.parquet",
        log:
            f"{LOGS}/compare_safeguards.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=4000,
            runtime=minutes(30),
        params:
            analysis=ANALYSIS,
            arms=STUDY.prompts.model_dump(mode="json")["arms"],
        message:
            "Comparing what is done to requests"
        script:
            f"{SCRIPTS}/compare_safeguards.py"


rule gather_selfcheck:
    input:
        expand(f"{MODEL_RESULTS}/selfcheck.parquet", model=MODELS),
    output:
        f"{RESULTS}/selfcheck.parquet",
    log:
        f"{LOGS}/gather_selfcheck.log",
    conda:
        ANALYSIS_ENV
    params:
        table="selfcheck",
    message:
        f"Gathering the self-checks of {', '.join(MODELS)}"
    script:
        f"{SCRIPTS}/gather_tables.py"


rule state_findings:
    input:
        **{
            table: expand(f"{MODEL_RESULTS}/{table}.parquet", model=MODELS)
            for table in [
                "rates",
                "lengths",
                "disparity",
                "interactions",
                "exclusions",
                "losses",
                "bounds",
            ]
        },
        prompts=f"{RESULTS}/prompts.parquet",
        selfcheck=(
            expand(f"{MODEL_RESULTS}/selfcheck.parquet", model=MODELS)
            if STUDY.analysis.selfcheck
            else []
        ),
        quality=(
            expand(f"{MODEL_RESULTS}/quality.parquet", model=MODELS)
            if MEASURES_ANSWERS
            else []
        ),
        comparison=[f"{RESULTS}/comparison.parquet"],
        propensity_levels=expand(
            f"{MODEL_RESULTS}/propensity_levels.parquet", model=STUDY.weighed
        ),
    output:
        findings=f"{RESULTS}/findings.parquet",
    log:
        f"{LOGS}/state_findings.log",
    conda:
        ANALYSIS_ENV
    params:
        analysis=ANALYSIS,
    message:
        f"Stating what {STUDY.study} found"
    script:
        f"{SCRIPTS}/state_findings.py"
