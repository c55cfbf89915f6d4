"""Triggers that refuse to change or delete an entry, whoever asks.

They stop mistakes, and programs that reach the tables without Gatehouse. They do not stop the owner of the database,
who can drop them: against the owner stands the chain. On PostgreSQL TRUNCATE is refused as well. On SQLite a table
that Django remakes loses its triggers, so a migration that alters audit_entry must end with `install`.
"""

from django.db.backends.base.base import BaseDatabaseWrapper

_INSTALL = {
    "postgresql": (
        """
        CREATE OR REPLACE FUNCTION audit_entry_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'an entry of the book cannot be changed or deleted'
                USING ERRCODE = 'integrity_constraint_violation';
        END $$
        """,
        """
        CREATE TRIGGER audit_entry_no_change BEFORE UPDATE OR DELETE ON audit_entry
        FOR EACH ROW EXECUTE FUNCTION audit_entry_is_final()
        """,
        """
        CREATE TRIGGER audit_entry_no_truncate BEFORE TRUNCATE ON audit_entry
        FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_final()
        """,
    ),
    "sqlite": (
        """
        CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_entry
        BEGIN SELECT RAISE(ABORT, 'an entry of the book cannot be changed or deleted'); END
        """,
        """
        CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_entry
        BEGIN SELECT RAISE(ABORT, 'an entry of the book cannot be changed or deleted'); END
        """,
    ),
}

_REMOVE = {
    "postgresql": ("DROP FUNCTION IF EXISTS audit_entry_is_final() CASCADE",),
    "sqlite": ("DROP TRIGGER IF EXISTS audit_entry_no_update", "DROP TRIGGER IF EXISTS audit_entry_no_delete"),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the database refuse; other databases than these two are refused by the portal's checks."""
    _run(connection, _INSTALL.get(connection.vendor, ()))


def remove(connection: BaseDatabaseWrapper) -> None:
    """Take the refusal away: for a migration, and for `flush`."""
    _run(connection, _REMOVE.get(connection.vendor, ()))


def _run(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
