"""Audits of preference data: whom the answers that people prefer refuse."""
