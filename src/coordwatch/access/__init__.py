"""Who may do what: roles, permissions, sessions, tokens; every decision of the door as a function of its arguments.

Names, secrets and instants enter; a Principal with its permissions leaves, or the reason why nobody came in. The next rooms:
`ports`, and the adapters that keep accounts and ask at the door.
"""
