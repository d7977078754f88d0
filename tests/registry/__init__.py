"""The schema registry: the way to it, and records under its schemas."""
