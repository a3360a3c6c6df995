"""Training of networks to a minimum: anneal, optimisers, polish, kinks."""
