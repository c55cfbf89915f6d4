"""Signing in and out by an OpenID provider, and being told by it who is signed out."""
