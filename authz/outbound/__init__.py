"""Every question to somebody else's server: bounded, asked once for all who wait for it, and remembered."""
