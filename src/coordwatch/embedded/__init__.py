"""The one-process runtime: inputs in, one writer, one database, one HTTP server.

What enters: a processor, a store, a clock and inlets that `app` has put together.
What leaves: committed state, answers, and notifications to whoever watches.
The next room: `app`, which starts it.
"""
