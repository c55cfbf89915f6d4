"""Measures on the database that this process was started with."""

from pathlib import Path

import django
from django.conf import settings

django.setup()

from django.core.management import call_command  # noqa: E402  needs the apps
from django.db import connections  # noqa: E402

from bench import connecting, deciding, organisation, revoking, serving  # noqa: E402
from bench.report import Report  # noqa: E402


def measure(database: str, parts: list[str], *, small: bool) -> int:
    """Make the organisation, measure the parts, print the table; return 1 if a budget was missed."""
    folder = Path(settings.DATA_DIR)
    report = Report()
    call_command("migrate", verbosity=0)
    size = organisation.SMALL if small else organisation.Size()
    made = organisation.make(size)
    report.add(
        f"{database}: {size.people:,} people, {size.groups:,} groups {size.depth} deep",
        f"{size.memberships:,} memberships",
    )
    report.add("", f"{size.servers:,} servers, {size.grants:,} grants")
    if "deciding" in parts:
        world = deciding.measure_build(report, database)
        deciding.measure_decide(report, world)
        deciding.measure_apply(report, world)
        del world
    connections.close_all()
    if "serving" in parts and database == "sqlite":
        serving.measure(report, made, folder)
    if "connecting" in parts and database == "sqlite":
        connecting.measure(report, made, folder)
    if "revoking" in parts:
        revoking.measure(report, made, folder, database)
    if "directories" in parts:
        from bench import directories  # noqa: PLC0415  python-ldap may be missing

        directories.measure(report, made, folder, database, small=small)
    print("\n" + report.markdown() + "\n", flush=True)
    return int(any(row[3] == "MISSED" for row in report.rows))
