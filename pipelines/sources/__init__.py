"""One module per source: how its payloads become rows of a staging contract. A source never imports another one.

Every module has `KIND` (the staging contract it fills) and `read(payload, name, day, out) -> Report`, a pure function
of the payload, its name, the snapshot's date and the contracts.
"""
