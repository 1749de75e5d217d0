"""Handlers for `logging` that publish what is logged."""
