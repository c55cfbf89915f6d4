"""Argon2 with as little work as it allows: how long a password takes to check is not what tests of this process ask."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class QuickArgon2(Argon2PasswordHasher):
    """The same algorithm and form of a hash, at the least cost that it takes."""

    time_cost, memory_cost, parallelism = 1, 8, 1
