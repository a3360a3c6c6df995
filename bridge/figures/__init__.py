"""The figures: a style, the comparison, the critical point, landscapes."""
