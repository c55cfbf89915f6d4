"""OpenID providers (OpenID Connect Core 1.0): who signs in by one, and for how long it vouches for them."""
