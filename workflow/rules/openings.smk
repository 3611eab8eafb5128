# Those of servers go to the network, which jobs on a cluster do not; weighing takes seconds.
localrules:
    ask_how_refusals_open,
    ask_propensity,
    weigh_responses,


OWN_WEIGHED = [key for key in STUDY.weighed if key not in SERVER_MODELS]
SERVED_WEIGHED = [key for key in STUDY.weighed if key in SERVER_MODELS]


rule learn_openings:
    input:
        unpack(lambda wildcards: model_files(STUDY.models[wildcards.model])),
        prompts=f"{RESULTS}/prompts.parquet",
        responses=f"{MODEL_RESULTS}/responses.parquet",
        labels=[] if STUDY.pilot else f"{MODEL_RESULTS}/labels.parquet",
        earlier=earlier_files,
    output:
        openings=f"{MODEL_RESULTS}/openings.parquet",
        pilot=f"{MODEL_RESULTS}/pilot.parquet",
    log:
        f"{LOGS}/learn_openings/{{model}}.log",
    wildcard_constraints:
        model=one_of(OWN_WEIGHED),
    conda:
        INFERENCE_ENV
    resources:
        mem_mb=4000,
        runtime=minutes(30),
    params:
        model=lambda wildcards: given(STUDY.models[wildcards.model]),
    message:
        "Learning how refusals of {wildcards.model} open"
    script:
        f"{SCRIPTS}/learn_openings.py"


use rule learn_openings as ask_how_refusals_open with:
    log:
        f"{LOGS}/ask_how_refusals_open/{{model}}.log",
    wildcard_constraints:
        model=one_of(SERVED_WEIGHED),
    message:
        "Asking the server how refusals of {wildcards.model} open"


rule measure_propensity:
    input:
        unpack(lambda wildcards: model_files(STUDY.models[wildcards.model])),
        prompts=f"{RESULTS}/prompts.parquet",
        responses=f"{MODEL_RESULTS}/responses.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
        openings=f"{MODEL_RESULTS}/openings.parquet",
    output:
        probabilities=f"{MODEL_RESULTS}/opening_probabilities.parquet",
        propensity=f"{MODEL_RESULTS}/propensity.parquet",
        drawn=f"{MODEL_RESULTS}/drawn_openings.parquet",
    log:
        f"{LOGS}/measure_propensity/{{model}}.log",
    wildcard_constraints:
        model=one_of(OWN_WEIGHED),
    conda:
        INFERENCE_ENV
    threads: lambda wildcards: max(1, 4 * asks(STUDY.models[wildcards.model], "gpus"))
    # A job as large as one that draws.
    resources:
        gpu=lambda wildcards: asks(STUDY.models[wildcards.model], "gpus"),
        gpu_model=lambda wildcards: SITE.gpu_model_of(
            asks(STUDY.models[wildcards.model], "gpus"),
            asks(STUDY.models[wildcards.model], "gpu_model"),
        ),
        slurm_partition=lambda wildcards: SITE.partition_of(
            asks(STUDY.models[wildcards.model], "gpus")
        ),
        tasks_per_gpu=0,
        nodes=1,
        mem_mb=lambda wildcards: asks(STUDY.models[wildcards.model], "mem_mb"),
        runtime=lambda wildcards, attempt: SITE.limited(
            asks(STUDY.models[wildcards.model], "runtime") * attempt
        ),
    params:
        model=lambda wildcards: given(STUDY.models[wildcards.model]),
        sampling=given(STUDY.sampling, "openings"),
    message:
        "Measuring how probable refusals of {wildcards.model} are"
    script:
        f"{SCRIPTS}/measure_propensity.py"


use rule measure_propensity as ask_propensity with:
    log:
        f"{LOGS}/ask_propensity/{{model}}.log",
    wildcard_constraints:
        model=one_of(SERVED_WEIGHED),
    message:
        "Asking the server how probable refusals of {wildcards.model} are"


rule continue_openings:
    input:
        unpack(lambda wildcards: model_files(STUDY.models[wildcards.model])),
        prompts=prompts_to_answer,
        openings=f"{MODEL_RESULTS}/openings.parquet",
        probabilities=f"{MODEL_RESULTS}/opening_probabilities.parquet",
        propensity=f"{MODEL_RESULTS}/propensity.parquet",
    output:
        responses=f"{MODEL_RESULTS}/leaf_responses.parquet",
    log:
        f"{LOGS}/continue_openings/{{model}}.log",
    wildcard_constraints:
        model=one_of(STUDY.continued),
    conda:
        INFERENCE_ENV
    threads: lambda wildcards: max(1, 4 * asks(STUDY.models[wildcards.model], "gpus"))
    # A job as large as one that draws.
    resources:
        gpu=lambda wildcards: asks(STUDY.models[wildcards.model], "gpus"),
        gpu_model=lambda wildcards: SITE.gpu_model_of(
            asks(STUDY.models[wildcards.model], "gpus"),
            asks(STUDY.models[wildcards.model], "gpu_model"),
        ),
        slurm_partition=lambda wildcards: SITE.partition_of(
            asks(STUDY.models[wildcards.model], "gpus")
        ),
        tasks_per_gpu=0,
        nodes=1,
        mem_mb=lambda wildcards: asks(STUDY.models[wildcards.model], "mem_mb"),
        runtime=lambda wildcards, attempt: SITE.limited(
            asks(STUDY.models[wildcards.model], "runtime") * attempt
        ),
    params:
        model=lambda wildcards: given(STUDY.models[wildcards.model]),
        sampling=given(STUDY.sampling, "openings"),
    message:
        "Drawing responses of {wildcards.model} from openings of refusals"
    script:
        f"{SCRIPTS}/continue_openings.py"


rule label_leaf_responses:
    input:
        prompts=f"{RESULTS}/prompts.parquet",
        responses=f"{MODEL_RESULTS}/leaf_responses.parquet",
        classifier=LABELLING_CLASSIFIER,
        human=LEAF_HUMAN if LEAVES_LABELLED_BY_PEOPLE else [],
    output:
        labels=f"{MODEL_RESULTS}/leaf_labels.parquet",
    log:
        f"{LOGS}/label_leaf_responses/{{model}}.log",
    wildcard_constraints:
        model=one_of(STUDY.continued),
    conda:
        ANALYSIS_ENV
    resources:
        mem_mb=4000,
        runtime=minutes(30),
    params:
        method=STUDY.labelling.method,
        abstain_below=STUDY.labelling.abstain_below,
    message:
        "Labelling what {wildcards.model} says from openings of refusals"
    script:
        f"{SCRIPTS}/label_leaf_responses.py"


rule weigh_responses:
    input:
        openings=f"{MODEL_RESULTS}/openings.parquet",
        probabilities=f"{MODEL_RESULTS}/opening_probabilities.parquet",
        propensity=f"{MODEL_RESULTS}/propensity.parquet",
        drawn=f"{MODEL_RESULTS}/drawn_openings.parquet",
        labels=f"{MODEL_RESULTS}/labels.parquet",
        leaf_labels=lambda wildcards: (
            f"{RESULTS}/models/{wildcards.model}/leaf_labels.parquet"
            if wildcards.model in STUDY.continued
            else []
        ),
    output:
        weighed=f"{MODEL_RESULTS}/weighed.parquet",
        responses=f"{MODEL_RESULTS}/weighed_responses.parquet",
    log:
        f"{LOGS}/weigh_responses/{{model}}.log",
    wildcard_constraints:
        model=one_of(STUDY.weighed),
    conda:
        ANALYSIS_ENV
    params:
        sampling=given(STUDY.sampling, "openings"),
    message:
        "Weighing the responses of {wildcards.model}"
    script:
        f"{SCRIPTS}/weigh_responses.py"
