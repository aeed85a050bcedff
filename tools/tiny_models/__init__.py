"""Tables of tiny random checkpoints and adapters, and what writes them."""
