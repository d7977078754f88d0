"""What every adapter of one port must do alike."""
