"""What the content means: one module a family of certification programmes, each a `read(code) -> Reading | None`."""
