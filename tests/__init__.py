"""What Gatehouse promises, said as tests."""
