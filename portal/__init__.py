"""The Django project: settings, URLs, processes."""
