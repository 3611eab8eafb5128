"""Variants of models, trained on preference data: what does it teach, and about whom?"""
