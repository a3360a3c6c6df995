"""What is trained: networks as landscapes, with their derivatives and symmetries."""
