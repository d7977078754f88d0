"""Rules: RuleSpecs read, checked, compiled and judged. Facts of one customer enter; verdicts leave for the engine."""
