"""The naive reference evaluator: rules and a whole history in, what stands at the end out; the laws compare with it."""
