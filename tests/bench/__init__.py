"""`make bench`: what the work costs, beside floors and peers, as ratios in one run. Timings are never asserted in tests.

Belongs here: measurements, and the goals they are held against. A part is a function that yields figures; what must not
share memory or a warm cache with others runs in a process of its own. How a figure looks is in `figures`, how the page
looks in `page`.
"""
