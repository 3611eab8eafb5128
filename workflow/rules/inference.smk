# It goes to the network, which jobs on a cluster do not.
localrules:
    ask_server,


rule generate_responses:
    input:
        unpack(model_files),
        prompts=f"{RESULTS}/prompts.parquet",
    output:
        responses=f"{MODEL_RESULTS}/responses.parquet",
    log:
        f"{LOGS}/generate_responses/{{model}}.log",
    wildcard_constraints:
        model=one_of(VLLM_MODELS),
    conda:
        INFERENCE_ENV
    threads: lambda wildcards: max(1, 4 * STUDY.models[wildcards.model].gpus)
    resources:
        gpu=lambda wildcards: STUDY.models[wildcards.model].gpus,
        mem_mb=lambda wildcards: STUDY.models[wildcards.model].mem_mb,
        runtime=lambda wildcards, attempt: STUDY.models[wildcards.model].runtime
        * attempt,
    params:
        # Only what changes the responses: more memory or time is no reason to
        # draw them again.
        model=lambda wildcards: given(
            STUDY.models[wildcards.model], "mem_mb", "runtime", "gpu_model"
        ),
        samples=STUDY.samples,
        sampling=given(STUDY.sampling),
    message:
        "Drawing responses of {wildcards.model}"
    script:
        f"{SCRIPTS}/generate_responses.py"


rule ask_server:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
    output:
        responses=f"{MODEL_RESULTS}/responses.parquet",
    log:
        f"{LOGS}/ask_server/{{model}}.log",
    wildcard_constraints:
        model=one_of(SERVER_MODELS),
    conda:
        INFERENCE_ENV
    params:
        # Only what changes the responses, since they cost money; how the
        # server is asked is read from the config itself.
        model=lambda wildcards: STUDY.models[wildcards.model].model_dump(
            include={"base_url", "model"}
        ),
        samples=STUDY.samples,
        sampling=given(STUDY.sampling),
    message:
        "Asking the server for responses of {wildcards.model}"
    script:
        f"{SCRIPTS}/ask_server.py"


rule import_responses:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        file=lambda wildcards: STUDY.models[wildcards.model].path,
    output:
        responses=f"{MODEL_RESULTS}/responses.parquet",
    log:
        f"{LOGS}/import_responses/{{model}}.log",
    wildcard_constraints:
        model=one_of(IMPORTED_MODELS),
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        model=lambda wildcards: given(STUDY.models[wildcards.model], "download"),
    message:
        "Importing responses of {wildcards.model} from {input.file}"
    script:
        f"{SCRIPTS}/import_responses.py"
