"""The laws as properties: generated rules and histories enter; the engine must equal the reference and keep its word."""
