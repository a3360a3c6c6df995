"""The kinds of run, a file each: `bridge.runs.registry` finds them.."""
