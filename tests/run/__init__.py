"""How the tests are run: on which database, in which order, what each leaves behind, and what is said at the end."""
