"""Refusal propensities: levels, odds ratios, and how well they stand for refusals."""
