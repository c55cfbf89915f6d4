"""JSON-RPC 2.0 over live connections: the protocol, the methods, and the two ways in which it is carried."""
