"""Measure whether a language model refuses harmless requests more often for some groups."""
