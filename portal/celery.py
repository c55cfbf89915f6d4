"""The task application, its schedule, and how it is reached: a folder on one machine, Redis on several."""

import os
from pathlib import Path

from celery import Celery
from django.conf import settings

from portal import queue_folder

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

EVERY = 10.0
"""Seconds between two looks at what is due."""
RECHECK_EVERY = 30.0
"""Seconds between two looks at which sign-ins a provider has to be asked about."""


def folder(name: str) -> str:
    """Return a folder of the queue, made if need be."""
    path = Path(settings.DATA_DIR) / "queue" / name
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(path)


app = Celery("portal")
app.conf.update(  # house: what Celery goes by, not rows
    broker_url=settings.REDIS_URL or f"{queue_folder.NAME}://",
    broker_connection_retry_on_startup=True,
    broker_transport_options={}
    if settings.REDIS_URL
    else {
        "data_folder_in": folder("tasks"),
        "data_folder_out": folder("tasks"),
        "control_folder": folder("control"),
        "polling_interval": 0.5,
    },
    task_ignore_result=True,
    task_acks_late=False,  # a task carries nothing: the next one finds whatever this one left
    worker_hijack_root_logger=False,
    worker_send_task_events=False,
    timezone="UTC",
    beat_schedule={
        "directories": {
            "task": "authz.keep_directories_in_step",
            "schedule": EVERY,
            "options": {"expires": EVERY},
        },
        "sign-ins": {
            "task": "authz.recheck_sign_ins",
            "schedule": RECHECK_EVERY,
            "options": {"expires": RECHECK_EVERY},
        },
    },
)
app.autodiscover_tasks(["authz"])
