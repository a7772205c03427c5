"""The web page of a release: static files, made of one release and nothing else.

Belongs here: what a reader sees of a release, as HTML, SVG, feeds and small data files. Does not: verdicts and counts,
which the release's tables hold; serving the files (`pipelines.serving`).
"""

FOLDER = "site"
"""Of the data folder: a link to the page that is shown."""
