"""One module per source that allows unattended access: which of its files are wanted, and when they are all there.

Every module has `fetch(round) -> Iterator[Fetched]`, one for each snapshot to be. How a server is asked is `web`, what
is accepted is `fetching`, what the files say is `sources`. A fetcher looks into a file only as far as it must in order
to ask on: paging tokens, totals, numbers. It stands apart from its source's reader, because a payload is read again
whenever its reader changes, and not when its address does.
"""
