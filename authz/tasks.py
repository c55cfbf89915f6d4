"""Wakes work that is kept as rows: no task carries anything that could be lost with its worker."""

import logging

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

from authz.directory.oidc.recheck import recheck
from authz.directory.run import work

log = logging.getLogger(__name__)


@shared_task(name="authz.keep_directories_in_step", ignore_result=True)
def keep_directories_in_step() -> int:
    """Read what is due, and work on every run that waits for a worker."""
    return work()


@shared_task(name="authz.recheck_sign_ins", ignore_result=True)
def recheck_sign_ins() -> int:
    """Ask providers whether they still vouch for the sign-ins that are due."""
    return recheck(timezone.now())


def wake() -> None:
    """Have a worker look now at what waits; it looks soon enough without, so that no failure here loses anything."""
    app = import_string(settings.CELERY_APPLICATION)
    try:
        app.send_task(keep_directories_in_step.name, expires=60, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("tasks.not_woken", extra={"error": str(error)})
