"""A city's own single sign-on (OpenID Connect, authorization code with PKCE): who the city says is there, and nothing more.

Invariants: an identity is taken from a signed ID token of the issuer that was asked, for us, with the nonce of this very
sign-in; no access token is kept; whom we do not know is not let in.
"""
