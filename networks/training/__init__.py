"""How networks come to a minimum: anneal, optimisers, polish, kinks."""
