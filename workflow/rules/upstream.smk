# Faults of what the workflow runs on, mended here until they are mended there. Of each,
# tests/cluster/test_upstream.py fails once it is: then its function goes.


def understand_cancelled_by():
    """Let the SLURM plugin see that somebody cancelled a job.

    sacct says `CANCELLED by 1000` of it. The plugin compares that with `CANCELLED`, takes
    anything else for a job that still runs, and waits for it without end. So do 2.6.1,
    which is pinned, and 2.8.0, the newest: no version mends it yet.
    """
    import snakemake_executor_plugin_slurm as slurm_plugin

    ask = slurm_plugin.query_job_status

    async def ask_and_shorten(command, logger):
        states, duration = await ask(command, logger)
        if states is not None:
            states = {job: state.split()[0] for job, state in states.items() if state}
        return states, duration

    slurm_plugin.query_job_status = ask_and_shorten
