"""How Dagster sees the warehouse: assets, checks, jobs, schedules. No parsing and no SQL text.

What is done stands in `pipelines`, which the command line calls in the same way; what is true stands in `schemas`.
"""
