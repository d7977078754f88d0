"""Telling people: the outbox, the senders, and every channel against real receivers."""
