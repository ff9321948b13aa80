"""What tills themselves ask for over HTTPS: to be let in, and to change their keys."""
