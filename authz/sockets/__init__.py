"""Live connections that end when the right to them ends: WebSockets and lines over TCP."""
