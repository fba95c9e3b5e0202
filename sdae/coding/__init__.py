"""Integers ↔ bytes: the latent coder, Deflate and the .sdae container."""
