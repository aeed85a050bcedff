"""The parts of the demo's corpus: each module makes one kind of text from a seeded `random.Random`."""
