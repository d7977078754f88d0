"""From a tool's own words to canonical events."""
