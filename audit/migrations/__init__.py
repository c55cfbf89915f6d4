"""The history of the book's tables."""
