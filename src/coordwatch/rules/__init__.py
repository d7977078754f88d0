"""Rules: RuleSpecs read, checked, compiled and judged.

Rule files and one customer's facts enter; verdicts and explanations leave for the engine.
"""
