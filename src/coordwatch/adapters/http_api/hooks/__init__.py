"""The webhook door: `POST /v1/sources/NAME`, where a tool posts what it signed.

What enters: raw requests of tools, and the secrets that they share with us.
What leaves: records for the writer, and an answer that keeps the tool sending.
The next room: `routes`, the only module that others import beside `hook`.
"""
