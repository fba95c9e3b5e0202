"""The commands of `python -m sdae`, one a module: `add_arguments(parser)`, `run(args) -> int`."""
