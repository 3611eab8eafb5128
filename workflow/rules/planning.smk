# Planning hundreds of models takes Snakemake seconds; these three take a quarter off.
import atexit
import functools
import gc
import inspect

import smart_open
from snakemake.common import overwrite_function_params
from snakemake.resources import Resource

# What is imported stays, and so do the planned jobs: the collector need not walk over
# them again and again.
gc.freeze()
gc.set_threshold(100_000, 50, 50)
atexit.register(gc.freeze)

# Snakemake parses the path of each job's script three times, and each time a class is
# made for the outcome.
smart_open.parse_uri = functools.cache(smart_open.parse_uri)

# For each resource of each job Snakemake looks up what this method takes.
overwrite_function_params(
    Resource.evaluate, inspect.signature(Resource.evaluate).parameters
)
