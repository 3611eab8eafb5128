# Seconds: a table of a few rows for each variant.
localrules:
    account_for_training,


rule choose_lessons:
    input:
        files=lambda wildcards: training_files(wildcards.variant),
        lexicon=STUDY.train.mentions,
    output:
        lessons=f"{TRAINING}/lessons.parquet",
        account=f"{TRAINING}/chosen.parquet",
    log:
        f"{LOGS}/choose_lessons/{{variant}}.log",
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(30),
    params:
        without=lambda wildcards: trains(wildcards.variant, "without"),
        data=lambda wildcards: {
            key: given(STUDY.train.data[key])
            for key in STUDY.train.variants[wildcards.variant].data
        },
    message:
        "Choosing the pairs that {wildcards.variant} learns from"
    script:
        f"{SCRIPTS}/choose_lessons.py"


rule train_variant:
    input:
        unpack(lambda wildcards: base_files(wildcards.variant)),
        lessons=f"{TRAINING}/lessons.parquet",
        account=f"{TRAINING}/chosen.parquet",
    output:
        weights=directory(f"{TRAINING}/weights"),
        account=f"{TRAINING}/learnt.parquet",
    log:
        f"{LOGS}/train_variant/{{variant}}.log",
    conda:
        TRAINING_ENV
    threads: lambda wildcards: max(1, 4 * trains(wildcards.variant, "gpus"))
    resources:
        gpu=lambda wildcards: trains(wildcards.variant, "gpus"),
        gpu_model=lambda wildcards: SITE.gpu_model_of(
            trains(wildcards.variant, "gpus"), trains(wildcards.variant, "gpu_model")
        ),
        slurm_partition=lambda wildcards: SITE.partition_of(
            trains(wildcards.variant, "gpus")
        ),
        # One task drives all GPUs of the job, which lie in one node.
        tasks_per_gpu=0,
        nodes=1,
        mem_mb=lambda wildcards: trains(wildcards.variant, "mem_mb"),
        runtime=lambda wildcards, attempt: SITE.limited(
            trains(wildcards.variant, "runtime") * attempt
        ),
    params:
        variant=lambda wildcards: STUDY.train.variants[wildcards.variant].taught(),
        checkpoints=lambda wildcards: f"{TRAINING}/checkpoints".format(
            variant=wildcards.variant
        ),
    message:
        "Training {wildcards.variant}"
    script:
        f"{SCRIPTS}/train_variant.py"


rule account_for_training:
    input:
        tables=expand(f"{TRAINING}/learnt.parquet", variant=STUDY.train.variants),
    output:
        training=f"{RESULTS}/training.parquet",
    log:
        f"{LOGS}/account_for_training.log",
    conda:
        ANALYSIS_ENV
    message:
        f"Accounting for the pairs that variants of {STUDY.study} learnt from"
    script:
        f"{SCRIPTS}/account_for_training.py"
