"""Rates of names and templates, each pooled with the others of its kind."""
