"""Photographs → weights."""
