"""Taste as tests: each check names the place and what to write instead."""
