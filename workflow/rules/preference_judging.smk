JUDGE = STUDY.labelling.judge


if JUDGE:
    from refusal_parity.preference.judge import pair_judge_id

    # A server is on the network, which jobs on a cluster are not.
    if engine_of(JUDGE).served:

        localrules:
            judge_pairs,

    rule judge_pairs:
        input:
            unpack(lambda _: model_files(JUDGE)),
            pairs=pairs_to_judge,
            conversations=f"{RESULTS}/conversations.parquet",
            mentions=f"{RESULTS}/mentions.parquet",
            lexicon=PREFERENCE.mentions,
        output:
            answers=f"{RESULTS}/judge/answers.parquet",
        log:
            f"{LOGS}/judge_pairs.log",
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
            judge_id=pair_judge_id(JUDGE, STUDY.labelling.judge_max_tokens),
            mentioned_in=PREFERENCE.mentioned_in,
            others=PREFERENCE.judge_others,
        message:
            "Asking the judge which answers are better"
        script:
            f"{SCRIPTS}/judge_pairs.py"

    rule read_pair_judgements:
        input:
            answers=f"{RESULTS}/judge/answers.parquet",
        output:
            judgements=PAIR_JUDGEMENTS,
        log:
            f"{LOGS}/read_pair_judgements.log",
        conda:
            ANALYSIS_ENV
        resources:
            mem_mb=2000,
            runtime=minutes(10),
        params:
            judge_id=pair_judge_id(JUDGE, STUDY.labelling.judge_max_tokens),
        message:
            "Reading which answers the judge finds better"
        script:
            f"{SCRIPTS}/read_pair_judgements.py"
