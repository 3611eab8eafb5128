localrules:
    compare_models,


rule estimate_rates:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
    output:
        rates=f"{MODEL_RESULTS}/rates.parquet",
        exclusions=f"{MODEL_RESULTS}/exclusions.parquet",
    log:
        f"{LOGS}/estimate_rates/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        analysis=given(STUDY.analysis),
    message:
        "Estimating rates of {wildcards.model}"
    script:
        f"{SCRIPTS}/estimate_rates.py"


rule test_disparity:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
    output:
        disparity=f"{MODEL_RESULTS}/disparity.parquet",
    log:
        f"{LOGS}/test_disparity/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        analysis=given(STUDY.analysis),
    message:
        "Testing the disparity of {wildcards.model}"
    script:
        f"{SCRIPTS}/test_disparity.py"


rule measure_influence:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
    output:
        influence=f"{MODEL_RESULTS}/influence.parquet",
    log:
        f"{LOGS}/measure_influence/{{model}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        analysis=given(STUDY.analysis),
    message:
        "Leaving out names and templates of {wildcards.model}"
    script:
        f"{SCRIPTS}/measure_influence.py"


rule compare_models:
    input:
        rates=expand(f"{MODEL_RESULTS}/rates.parquet", model=MODELS),
        disparity=expand(f"{MODEL_RESULTS}/disparity.parquet", model=MODELS),
    output:
        comparison=f"{RESULTS}/comparison.parquet",
    log:
        f"{LOGS}/compare_models.log",
    conda:
        ANALYSIS_ENV
    message:
        f"Comparing {', '.join(MODELS)}"
    script:
        f"{SCRIPTS}/compare_models.py"
