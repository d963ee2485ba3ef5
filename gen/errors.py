"""Errors that end a command with one sentence."""


class UsageError(ValueError):
    """One clear sentence about what was asked for.

    The command line prints it after ``mxforge:`` and exits with status 2, without a traceback.
    """


class ToolError(RuntimeError):
    """One sentence about a tool that failed on what it was given.

    The command line prints it as it does a UsageError, and exits with status 1.
    """
