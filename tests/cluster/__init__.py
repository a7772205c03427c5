"""A Dask cluster and a server that speaks S3 on this machine: what `make test-cluster` tries and `make cluster-demo` shows.

Belongs here: what needs the extras [dask] and [s3]. Nothing here is run by `make test`.
"""
