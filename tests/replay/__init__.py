"""The sources' interfaces on loopback, over real sockets, from made-up records: what a night is tested against.

Belongs here: a server that speaks them and can be told to misbehave (`server`), one app per source (`apps`), and a
whole night to look at (`python -m tests.replay`). Does not belong here: what is expected of the fetchers.
"""
