"""Signing in by a provider of identities that speaks OpenID Connect: authorization code with PKCE, and nothing older.

What enters: the settings of a provider, what its pages send a browser back with. What leaves: an Identity that is proven.
The next room: the sign-in page, through the Provider of `access`.
"""
