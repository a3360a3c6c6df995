"""Patterns and outcomes to be learned: random ones, digits, MNIST, tables."""
