"""Directories that speak LDAP."""
