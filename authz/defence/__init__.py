"""What keeps one caller from taking everything: plain values and locks in memory."""
