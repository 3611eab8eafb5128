# Asking goes to the network, which jobs on a cluster do not; gathering takes seconds.
localrules:
    ask_again,
    ask_server,
    gather_shards,


SHARDED_MODELS = [
    key for key in OWN_MODELS if ENGINE[key].shards and STUDY.models[key].shards > 1
]
WHOLE_MODELS = [key for key in OWN_MODELS if key not in SHARDED_MODELS]


rule generate_responses:
    input:
        unpack(lambda wildcards: model_files(STUDY.models[wildcards.model])),
        prompts=prompts_to_answer,
    output:
        responses=DRAWN,
    log:
        f"{LOGS}/generate_responses/{{model}}.log",
    wildcard_constraints:
        model=one_of(WHOLE_MODELS),
    conda:
        INFERENCE_ENV
    threads: lambda wildcards: max(1, 4 * asks(STUDY.models[wildcards.model], "gpus"))
    resources:
        gpu=lambda wildcards: asks(STUDY.models[wildcards.model], "gpus"),
        gpu_model=lambda wildcards: SITE.gpu_model_of(
            asks(STUDY.models[wildcards.model], "gpus"),
            asks(STUDY.models[wildcards.model], "gpu_model"),
        ),
        slurm_partition=lambda wildcards: SITE.partition_of(
            asks(STUDY.models[wildcards.model], "gpus")
        ),
        # One task drives all GPUs of the job, which lie in one node.
        tasks_per_gpu=0,
        nodes=1,
        mem_mb=lambda wildcards: asks(STUDY.models[wildcards.model], "mem_mb"),
        runtime=lambda wildcards, attempt: SITE.limited(
            asks(STUDY.models[wildcards.model], "runtime") * attempt
        ),
    params:
        model=lambda wildcards: given(STUDY.models[wildcards.model]),
        samples=STUDY.samples,
        sampling=given(STUDY.sampling, "openings"),
    message:
        "Drawing responses of {wildcards.model}"
    script:
        f"{SCRIPTS}/generate_responses.py"


use rule generate_responses as generate_shard with:
    output:
        responses=temp(f"{SHARD_RESULTS}/responses.parquet"),
    log:
        f"{LOGS}/generate_shard/{{model}}/{{shard}}-of-{{shards}}.log",
    wildcard_constraints:
        model=one_of(SHARDED_MODELS),
    message:
        "Drawing shard {wildcards.shard} of {wildcards.shards} of {wildcards.model}"


rule gather_shards:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        shards=lambda wildcards: expand(
            f"{SHARD_RESULTS}/responses.parquet",
            model=wildcards.model,
            shard=range(1, asks(STUDY.models[wildcards.model], "shards") + 1),
            shards=asks(STUDY.models[wildcards.model], "shards"),
        ),
    output:
        responses=DRAWN,
    log:
        f"{LOGS}/gather_shards/{{model}}.log",
    wildcard_constraints:
        model=one_of(SHARDED_MODELS),
    conda:
        ANALYSIS_ENV
    message:
        "Gathering the shards of {wildcards.model}"
    script:
        f"{SCRIPTS}/gather_shards.py"


rule ask_server:
    input:
        prompts=prompts_to_answer,
    output:
        responses=DRAWN,
    log:
        f"{LOGS}/ask_server/{{model}}.log",
    wildcard_constraints:
        model=one_of(SERVER_MODELS),
    conda:
        INFERENCE_ENV
    params:
        model=lambda wildcards: given(STUDY.models[wildcards.model]),
        samples=STUDY.samples,
        sampling=given(STUDY.sampling, "openings"),
    message:
        "Asking the server for responses of {wildcards.model}"
    script:
        f"{SCRIPTS}/generate_responses.py"


# A target, never part of a plan: without an output it runs whenever it is named. It changes
# finished tables in place, so that a run that is stopped leaves them as they were.
rule ask_again:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
    log:
        f"{LOGS}/ask_again.log",
    conda:
        INFERENCE_ENV
    params:
        tables={key: DRAWN.format(model=key) for key in SERVER_MODELS},
        samples=STUDY.samples,
        sampling=given(STUDY.sampling, "openings"),
    message:
        "Asking servers again for the responses that failed"
    script:
        f"{SCRIPTS}/ask_again.py"


rule import_responses:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        file=lambda wildcards: STUDY.models[wildcards.model].path,
    output:
        responses=DRAWN,
    log:
        f"{LOGS}/import_responses/{{model}}.log",
    wildcard_constraints:
        model=one_of(IMPORTED_MODELS),
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=2000,
        runtime=minutes(10),
    params:
        model=lambda wildcards: given(STUDY.models[wildcards.model]),
        samples=STUDY.samples,
    message:
        "Importing responses of {wildcards.model} from {input.file}"
    script:
        f"{SCRIPTS}/import_responses.py"
