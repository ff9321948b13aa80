"""Tills' messages, handed on by bridges or a shop's own system."""
