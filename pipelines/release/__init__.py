"""What the public downloads, made from a checked build.

Belongs here: which rows and fields go into it, and in what form. Does not: building and checking tables, or what they
mean.
"""
