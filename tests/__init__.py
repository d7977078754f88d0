"""The claims that the project makes, each as something that can fail."""
