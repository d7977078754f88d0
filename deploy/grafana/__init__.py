"""The Grafana boards, written by code: `python -m deploy.grafana.generate`.

What enters: nothing. What leaves: `boards/*.json`, which are committed and provisioned; a test holds them equal.
"""
