"""Photos that residents send: looked at as bytes here, unpacked and read by a bounded process of their own, never kept."""
