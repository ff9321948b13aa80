"""HTTP: who may ask, what a body must look like, how a refusal reads. Decides nothing itself.

Invariants: every route names who may call it, and the same declaration enforces and documents it; every refusal is a problem
document (RFC 9457) with a Chinese sentence first; reads go through queries, writes through use cases.
"""
