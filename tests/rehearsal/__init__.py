"""`make rehearsal`: a made-up world of the real one's size, in the sources' own formats, taken through a whole build, a
night that brings nothing, a night of changes, a release and its page; what each stage cost, at three sizes.

Belongs here: how that world is made (`making`), the steps through which it is taken (`work`), how they are watched
(`watch`), and how the figures look (`page`). Does not belong here: what a piece
of work costs beside others, which is `tests/bench`. Timings are never asserted.
"""
