"""The commands, one file each: `bridge.cli.main` assembles them.

A file holds ``app``, a Typer with one command, or a named one with a group of them. To add a
command is to add a file here: it is found. What is slow to import is imported inside the functions.
"""
