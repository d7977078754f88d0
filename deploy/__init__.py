"""What it takes to run coordwatch beside a Kafka: an image, a compose file, rules for Prometheus, boards for Grafana.

Nothing here is part of the program. docs/deploy.md says how to use it.
"""
