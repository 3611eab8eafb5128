"""Measure whether a language model refuses harmless requests more often for some groups."""

__version__ = "0.1.0"
