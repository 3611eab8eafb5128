MODEL_GUARDS = [key for key, guard in STUDY.guards.items() if guard.kind == "model"]
TRAINED_GUARDS = [
    key for key, guard in STUDY.guards.items() if guard.kind == "classifier"
]
GUARD_RESULTS = f"{RESULTS}/guards/{{guard}}"


if GUARDED:
    # A server is on the network, which jobs on a cluster are not.
    if any(engine_of(STUDY.guards[key].model).served for key in MODEL_GUARDS):

        localrules:
            ask_guard,

    rule train_guard:
        input:
            harmful=lambda wildcards: STUDY.guards[wildcards.guard].harmful,
            harmless=lambda wildcards: STUDY.guards[wildcards.guard].harmless,
            names=lambda wildcards: STUDY.guards[wildcards.guard].names or [],
        output:
            guard=f"{GUARD_RESULTS}/guard.skops",
        log:
            f"{LOGS}/train_guard/{{guard}}.log",
        wildcard_constraints:
            guard=one_of(TRAINED_GUARDS),
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=2000,
            runtime=minutes(10),
        params:
            guard=lambda wildcards: given(STUDY.guards[wildcards.guard], "threshold"),
        message:
            "Training the guard {wildcards.guard}"
        script:
            f"{SCRIPTS}/train_guard.py"

    rule ask_guard:
        input:
            unpack(lambda wildcards: model_files(STUDY.guards[wildcards.guard].model)),
            prompts=f"{RESULTS}/prompts.parquet",
        output:
            answers=f"{GUARD_RESULTS}/answers.parquet",
        log:
            f"{LOGS}/ask_guard/{{guard}}.log",
        wildcard_constraints:
            guard=one_of(MODEL_GUARDS),
        conda:
            INFERENCE_ENV
        threads: lambda wildcards: max(1, 4 * guard_asks(wildcards, "gpus"))
        resources:
            gpu=lambda wildcards: guard_asks(wildcards, "gpus"),
            gpu_model=lambda wildcards: SITE.gpu_model_of(
                guard_asks(wildcards, "gpus"), guard_asks(wildcards, "gpu_model")
            ),
            slurm_partition=lambda wildcards: SITE.partition_of(
                guard_asks(wildcards, "gpus")
            ),
            tasks_per_gpu=0,
            nodes=1,
            mem_mb=lambda wildcards: guard_asks(wildcards, "mem_mb"),
            runtime=lambda wildcards: guard_asks(wildcards, "runtime"),
        params:
            guard=lambda wildcards: given(STUDY.guards[wildcards.guard]),
        message:
            "Asking the guard {wildcards.guard}"
        script:
            f"{SCRIPTS}/ask_guard.py"

    rule stop_requests:
        input:
            prompts=f"{RESULTS}/prompts.parquet",
            trained=expand(f"{GUARD_RESULTS}/guard.skops", guard=TRAINED_GUARDS),
            answers=expand(f"{GUARD_RESULTS}/answers.parquet", guard=MODEL_GUARDS),
        output:
            stops=f"{RESULTS}/guards.parquet",
        log:
            f"{LOGS}/stop_requests.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=2000,
            runtime=minutes(10),
        params:
            guards={key: given(guard) for key, guard in STUDY.guards.items()},
            arms=STUDY.prompts.model_dump(mode="json")["arms"],
            trained=TRAINED_GUARDS,
            asked=MODEL_GUARDS,
        message:
            "Stopping requests that guards do not let pass"
        script:
            f"{SCRIPTS}/stop_requests.py"

    rule apply_guards:
        input:
            prompts=f"{RESULTS}/prompts.parquet",
            stops=f"{RESULTS}/guards.parquet",
            drawn=DRAWN,
        output:
            responses=f"{MODEL_RESULTS}/responses.parquet",
        log:
            f"{LOGS}/apply_guards/{{model}}.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=2000,
            runtime=minutes(10),
        message:
            "Putting guards in front of {wildcards.model}"
        script:
            f"{SCRIPTS}/apply_guards.py"
