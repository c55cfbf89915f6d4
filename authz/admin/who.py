"""Who asks for a page of the administration, and whether they may."""

from django.db.models import Model
from django.http import HttpRequest

from audit.context import Actor
from authz.formats import session_token
from authz.models import Session


def administers(request: HttpRequest) -> bool:
    """Return whether this person administers the portal; asked once, so that a page is judged by one World."""
    known: bool | None = getattr(request, "administers", None)
    if known is None:
        known = request.user.is_authenticated and request.user.has_perm("authz.administer")
        request.administers = known  # type: ignore[attr-defined]  # ours, for as long as the request lasts
    return known


def actor(request: HttpRequest) -> Actor:
    """Return who acts, for the book."""
    return Actor.person(request.user.get_username(), address=request.META.get("REMOTE_ADDR", ""))


def own_session(request: HttpRequest, cookie: str) -> int | None:
    """Return the number of the session that asks."""
    digest = session_token.digest(request.COOKIES.get(cookie, ""))
    return Session.objects.filter(digest=digest).values_list("pk", flat=True).first()


class Administered:
    """Whoever administers the portal may see and do everything that a screen offers; nobody else sees any of it."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Tell whether the screen is in the menu."""
        return administers(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether rows may be seen."""
        return administers(request)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether rows may be added."""
        return administers(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether rows may be changed."""
        return administers(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Tell whether rows may be removed."""
        return administers(request)
