"""The errors a person may see. Each message is one clear sentence that names the file, record or field and what to do.

Nothing else belongs here: a fault in our own code is an ordinary exception with its traceback.
"""


class UsageError(Exception):
    """The command was used wrongly: exit code 2, nothing was changed."""


class DataError(Exception):
    """The data failed a check: exit code 1, the last good build is untouched."""


class BusyError(DataError):
    """Another process has what this one needs: exit code 1, and the same again a little later does it."""


class PayloadError(Exception):
    """A file cannot be read as what it is said to be; becomes a rejected record of scope `payload`."""


class FetchError(Exception):
    """A source could not be fetched: exit code 1, nothing of it was stored and its last good snapshot stays in use."""
