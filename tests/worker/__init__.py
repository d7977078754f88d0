"""The distributed runtime: its stages under crashes, its readings, its pages."""
