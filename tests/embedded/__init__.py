"""The one-process runtime: its writer, its inlets, its commands, and what a kill leaves."""
