"""Reads LDAP directories (RFC 4511), and lets people sign in by them."""
