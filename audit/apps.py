"""Registers the book with Django."""

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """The app that keeps the book."""

    name = "audit"
    label = "audit"
    verbose_name = "Audit"
    default_auto_field = "django.db.models.BigAutoField"
