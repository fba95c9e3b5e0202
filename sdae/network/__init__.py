"""The network: in Keras to be trained, in NumPy to be used, and its weights."""
