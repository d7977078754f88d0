"""The walk of records through the processor and its stages."""
