"""The Kodak page."""
