"""Campaigns against the engine as shipped; `tests/campaign` is their command."""
