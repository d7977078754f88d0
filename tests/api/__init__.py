"""The HTTP API, with friendly and with hostile callers."""
