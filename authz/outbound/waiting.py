"""Gives back what others need before a wait for somebody else's server."""

from django.db import connection


def leave_database() -> None:
    """Give back this thread's connection to the database; the next query opens another. In a transaction it stays.

    A database serves some hundred connections, and a server that does not answer would hold one for each who waits.
    """
    if not connection.in_atomic_block:
        connection.close()
