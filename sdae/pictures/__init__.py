"""Any picture file ↔ pixels: reading, metadata, noise."""
