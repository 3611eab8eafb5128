"""SLURM: checks before anything is submitted, and how the jobs ended."""
