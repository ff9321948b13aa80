"""A small city to test in: certified products, policies, tills, residents and their member codes. Plain functions."""
