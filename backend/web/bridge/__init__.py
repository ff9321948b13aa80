"""What bridges poll for: messages to tills."""
