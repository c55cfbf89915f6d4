"""Who people are, what they may use, and the answers given about it."""
