"""Events: the canonical Event, its taxonomy, its times and its wire form.

Bytes enter; Events leave for every other room. The next room: `sources`, which makes Events of vendors' payloads.
"""
