"""The terminal side of IdleClaw: the screen, the three modes without one, and the node."""
