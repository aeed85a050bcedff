"""The parts of the comparison with other harnesses; `compare.py` beside this folder is the command."""
