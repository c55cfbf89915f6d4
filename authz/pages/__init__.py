"""What people see who do not administer: sign-in, sign-out, home."""
