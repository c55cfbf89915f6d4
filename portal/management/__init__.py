"""What keeps the project's own pages true."""
