"""Adapters: each module speaks to one thing outside, through one client library.

What enters: the Protocols of `ports` and bytes of the world.
What leaves: files, rows, pages and answers.
The next room: `embedded`, which runs them together.
"""
