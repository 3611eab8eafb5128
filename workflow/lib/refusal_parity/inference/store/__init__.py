"""Responses that were drawn, by what was sent and how: for all studies of a results folder."""
