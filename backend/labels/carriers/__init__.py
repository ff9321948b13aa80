"""How a code carries its content: GTIN, GS1 element strings, Digital Link, URLs."""
