"""The spherical perceptron: its energy, descents on the sphere, and its theory."""
