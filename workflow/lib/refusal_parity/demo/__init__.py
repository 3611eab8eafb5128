"""Tiny chat models with a known truth, and the recipe that makes them.

Nothing else of the package imports this one: it needs torch and transformers.
"""
