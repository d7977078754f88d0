"""Events: the canonical Event, its taxonomy, times and wire form. Bytes enter; Events leave for every other room."""
