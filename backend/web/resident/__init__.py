"""What residents see and do, each only with their own."""
