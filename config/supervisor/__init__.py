"""`make up`: one process that starts everything on one machine, keeps it alive and takes it down again.

It imports no Django, starts nothing that outlives it, and stops only what it started.
"""
