"""The book: what happened, in order, so that no entry can be changed unseen."""
