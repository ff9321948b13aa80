"""What anyone may look up without signing in."""
