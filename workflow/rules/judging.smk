JUDGE = STUDY.labelling.judge
JUDGEMENTS = expand(f"{MODEL_RESULTS}/judge.parquet", model=MODELS) if JUDGE else []


READ_BY_JUDGE = ()


if JUDGE:
    from refusal_parity.judging.questions import asked_besides, judge_id

    # What it is asked besides the label.
    READ_BY_JUDGE = asked_besides(STUDY.analysis)
    JUDGE_ID = judge_id(STUDY.labelling, READ_BY_JUDGE)

    # A server is on the network, which jobs on a cluster are not.
    if engine_of(JUDGE).served:

        localrules:
            ask_judge,

    rule ask_judge:
        input:
            unpack(lambda _: model_files(JUDGE)),
            prompts=prompts_to_answer,
            responses=f"{MODEL_RESULTS}/responses.parquet",
        output:
            answers=f"{MODEL_RESULTS}/judge/answers.parquet",
        log:
            f"{LOGS}/ask_judge/{{model}}.log",
        conda:
            INFERENCE_ENV
        threads: max(1, 4 * asks(JUDGE, "gpus"))
        resources:
            gpu=asks(JUDGE, "gpus"),
            gpu_model=SITE.gpu_model_of(asks(JUDGE, "gpus"), asks(JUDGE, "gpu_model")),
            slurm_partition=SITE.partition_of(asks(JUDGE, "gpus")),
            tasks_per_gpu=0,
            nodes=1,
            mem_mb=asks(JUDGE, "mem_mb"),
            runtime=minutes(asks(JUDGE, "runtime")),
        params:
            judge_id=JUDGE_ID,
        message:
            "Asking the judge about responses of {wildcards.model}"
        script:
            f"{SCRIPTS}/ask_judge.py"

    rule read_judgements:
        input:
            prompts=f"{RESULTS}/prompts.parquet",
            responses=f"{MODEL_RESULTS}/responses.parquet",
            answers=f"{MODEL_RESULTS}/judge/answers.parquet",
            human=HUMAN if LABELLED_BY_PEOPLE else [],
        output:
            judgements=f"{MODEL_RESULTS}/judge.parquet",
        log:
            f"{LOGS}/read_judgements/{{model}}.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=4000,
            runtime=minutes(30),
        params:
            judge_id=JUDGE_ID,
        message:
            "Reading what the judge says of {wildcards.model}"
        script:
            f"{SCRIPTS}/read_judgements.py"
