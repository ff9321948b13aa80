"""What a newcomer's machine gets: set-up, the demonstration city, its keys and label pictures, and the running whole.

Everything here is synthetic and for demonstration: no shop, certificate or resident of it exists.
`prepare`, `steps` and `reset` run before any package is installed: standard library only.
"""
