"""Errors that a user can put right."""


class UsageError(ValueError):
    """One clear sentence about what was asked for.

    The command line prints it after ``mxforge:`` and exits with status 2, without a traceback.
    """
