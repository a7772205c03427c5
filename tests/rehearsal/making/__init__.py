"""The made-up world: how much there is (`counts`), its records (`studies`, `registers`, `articles`, of the words of
`prose`) and in which files they lie (`world`).

Belongs here: whatever decides what a rehearsal reads: where it changes, figures that were kept are of another world.
"""
