"""Weights of a tiny network, for tests that need a codec but not a good one."""
