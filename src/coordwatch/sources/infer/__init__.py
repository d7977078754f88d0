"""Inference: payloads that nobody mapped yet in, a mapping that runs as it is and is easy to correct out.

What enters: Records of one tool. What leaves: a Proposal, each part with its confidence and examples, and its YAML text.
The next room: the command `sources infer`; a person corrects what it wrote.
"""
