"""The numbered statements of the rule language, one by one, as examples a person can read."""
