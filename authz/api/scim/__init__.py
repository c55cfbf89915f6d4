"""SCIM 2.0 (RFC 7643, RFC 7644): provisioning clients such as Okta and Entra push people and groups."""
