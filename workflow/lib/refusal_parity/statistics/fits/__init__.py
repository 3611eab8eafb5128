"""Regressions on levels and templates, and what they cannot use."""
