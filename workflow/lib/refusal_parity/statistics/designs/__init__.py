"""Counts of a comparison and the studies they come from."""
