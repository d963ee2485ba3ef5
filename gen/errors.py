"""Errors that a user can put right."""


class UsageError(ValueError):
    """One clear sentence about what was asked for; the command line prints it and exits with status 2."""
