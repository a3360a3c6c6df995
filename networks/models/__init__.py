"""Models: networks as landscapes, with their derivatives and symmetries."""
