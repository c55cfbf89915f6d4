"""The screen of directories: where people and groups come from, how that goes, and what can be done about it."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from audit.context import Actor
from authz.admin.act import Act, Secret
from authz.admin.base import VerbAdmin
from authz.admin.columns import when
from authz.admin.decorators import badge, button
from authz.admin.filters import Conditions
from authz.admin.forms import VerbForm
from authz.admin.inline import VerbInline
from authz.admin.source_forms import BEGINNINGS, SourceForm, fieldsets_for, form_for
from authz.admin.who import actor
from authz.changes import runs, sources
from authz.changes.api_keys import Issued
from authz.directory.trying import tried
from authz.errors import AuthzError
from authz.formats.sources import KINDS
from authz.models import Rule, Run, Source
from authz.tasks import wake


class RuleForm(VerbForm):
    """A rule: what it looks at, and which group follows."""

    def clean(self) -> dict[str, Any]:
        """Refuse an attribute without a name, and a name where a group decides."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        named = bool(cleaned.get("attribute", "").strip())
        if cleaned.get("kind") == Rule.ATTRIBUTE and not named:
            self.add_error("attribute", "Name the attribute, such as department.")
        if cleaned.get("kind") == Rule.GROUP and named:
            self.add_error("attribute", "Leave it empty where a group decides.")
        return cleaned


class Rules(VerbInline[Source, Rule]):
    """Which groups of ours follow from what the directory says of somebody."""

    model = Rule
    form = RuleForm
    verbose_name_plural = "Rules: whoever fits one is in its group"
    fields = fixed = ("kind", "attribute", "pattern", "group")
    autocomplete_fields = ("group",)
    blames = "pattern"

    def add(self, parent: Source, wanted: dict[str, Any], by: Actor) -> None:
        """Add a rule."""
        asked = {name: wanted[name] for name in ("kind", "attribute", "pattern", "group")}
        sources.add_rule(parent, **asked, by=by)

    def remove(self, row: Rule, by: Actor) -> None:
        """Take a rule away."""
        sources.remove_rule(row, by=by)


def ask_to_remove(source: Source, *, by: Actor) -> None:
    """Ask for a removal, which shows first what it would take back."""
    runs.ask(source, by=by, mode=Run.REMOVAL)
    transaction.on_commit(wake)


def shown_token(issued: Issued) -> Secret:
    """Return a token to be shown once."""
    return Secret(f"The token {issued.row.prefix}…", issued.text, "Enter it where the client asks for a bearer token.")


REMOVE = Act(
    title="Remove",
    warning="First it is shown what would be taken back; nothing changes before somebody approves that, under Runs. "
    "Its people stay, suspended, until you decide about each of them. To switch it off can be undone.",
    do=ask_to_remove,
    done="What the removal would take back is being worked out; it waits under Runs.",
)
TOKEN = Act(
    title="Issue a token",
    warning="The client shows it with every request, and can do nothing with it but write this directory's people and "
    "groups. Tokens that it has already stay good; revoke them under API keys.",
    do=sources.issue_token,
    done="",
    danger=False,
    shows=shown_token,
)


class State(Conditions):
    """By how it goes."""

    title = parameter_name = "state"
    conditions = {
        "failing": ("failing", lambda _now: ~Q(failure="") & Q(enabled=True)),
        "waiting": ("waits for approval", lambda _now: Q(runs__state=Run.WAITING)),
        "off": ("switched off", lambda _now: Q(enabled=False)),
    }


class Directories(VerbAdmin[Source]):
    """Directories."""

    form = SourceForm
    blames = "name"
    removal = REMOVE
    list_display = ("label", "title", "kind", "state", "people", "read", "next")
    list_filter = (State, "kind")
    search_fields = ("name", "title")
    search_help_text = "Search by name or title"
    inlines = (Rules,)
    actions_detail = ("test", "preview", "sync", "token", "its_runs")
    read = when("read_at", "last read")
    next = when("due_at", "next run", never="—")

    def kind_of(self, request: HttpRequest, obj: Source | None) -> str:
        """Return which kind of directory a form is for; nothing if that is still to be chosen."""
        asked = obj.kind if obj is not None else request.POST.get("kind") or request.GET.get("kind", "")
        return asked if asked in KINDS else ""

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: ANN401, FBT001, FBT002  Django's own
        """Return the form for this kind."""
        kwargs["form"] = form_for(self.kind_of(request, obj))
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:  # noqa: ANN401  Django's own
        """Lay the form out for this kind."""
        return fieldsets_for(self.kind_of(request, obj), new=obj is None)

    def get_inlines(self, request: HttpRequest, obj: Source | None) -> tuple[type[VerbInline[Any, Any]], ...]:
        """Leave rules to when the directory is there."""
        return self.inlines if obj is not None else ()

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:  # noqa: ANN401  Django's own
        """Ask for the kind first."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        if not self.kind_of(request, None):
            context = {**self.admin_site.each_context(request), "title": "Add a directory", "opts": self.opts}
            choices = [(title, urlencode(query)) for title, query in BEGINNINGS]
            return TemplateResponse(request, "admin/choose_kind.html", {**context, "choices": choices})
        answer: HttpResponse = super().add_view(request, form_url, extra_context)
        return answer

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> tuple[str, ...]:
        """Show how it goes, and what has to be entered there."""
        return () if obj is None else ("goes", "read", "next", "addresses")

    def create(self, form: SourceForm, by: Actor) -> Source:
        """Add a directory."""
        asked = form.cleaned_data
        return sources.add(
            name=asked["name"], kind=form.kind_of, title=asked["title"], settings=form.settings(),
            secret=asked.get("new_secret", ""), by=by,
        )  # fmt: skip

    def edit(self, row: Source, form: SourceForm, by: Actor) -> Source:
        """Change how a directory is read, or switch it."""
        asked = {name: form.cleaned_data[name] for name in ("title", "enabled")}
        secret = form.cleaned_data.get("new_secret") or None
        return sources.edit(row, by=by, secret=secret, settings=form.settings(), **asked)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        """Return the directories with what the list tells of them."""
        waiting = Run.objects.filter(source=OuterRef("pk"), state__in=(Run.WAITING, Run.RUNNING, Run.QUEUED))
        found: QuerySet[Source] = super().get_queryset(request)
        return found.annotate(
            known=Count("identities", filter=Q(identities__gone_at=None)),
            open_run=Subquery(waiting.order_by("-state").values("state")[:1]),
        )

    def offers(self, row: Source) -> tuple[str, ...]:
        """Offer to read only what can be read."""
        reads = ("preview", "sync") if row.kind == Source.LDAP else ()
        return (
            "test",
            *(reads if row.enabled else reads[:1]),
            *(("token",) if row.kind == Source.SCIM else ()),
            "its_runs",
        )

    @admin.display(description="directory", ordering="name")
    def label(self, source: Source) -> str:
        """Return what stands beside all that comes from it."""
        return str(source)

    @badge("state", well="success", failing="danger", off="danger", waiting="warning", new="info", working="info")
    def state(self, source: Any) -> tuple[str, str]:  # noqa: ANN401  a directory, with what the query added
        """Return how it goes."""
        if not source.enabled:
            return "off", "switched off"
        if source.open_run == Run.WAITING:
            return "waiting", "waits for approval"
        if source.open_run:
            return "working", "being read"
        if source.failure:
            return "failing", "failing"
        return ("well", "well") if source.read_at or source.known else ("new", "nothing read yet")

    @admin.display(description="how it goes")
    def goes(self, source: Source) -> str:
        """Return what was wrong the last time, if anything was."""
        if source.failing_since is None:
            return "well" if source.read_at else "nothing was read or pushed yet"
        return f"failing since {source.failing_since:%Y-%m-%d %H:%M} (UTC): {source.failure}"

    @admin.display(description="enter there")
    def addresses(self, source: Source) -> SafeString | str:
        """Return the addresses of ours that the other side has to know."""
        if source.kind == Source.LDAP:
            return "nothing: Gatehouse asks, and is never asked"
        if source.kind == Source.SCIM:
            return f"{settings.PORTAL_URL}/scim/v2 as base URL, and a token as bearer"
        pages = (
            ("redirect URI", "oidc-callback"),
            ("back-channel logout URI", "oidc-backchannel-logout"),
            ("post-logout redirect URI", "oidc-signed-out"),
        )
        lines = ((label, settings.PORTAL_URL + reverse(page, args=(source.name,))) for label, page in pages)
        return format_html_join("", '<div class="break-all">{}: {}</div>', lines)

    @admin.display(description="people", ordering="known")
    def people(self, source: Any) -> int:  # noqa: ANN401  a directory, with what the query added
        """Return how many people of it we know."""
        return int(source.known)

    @button("Test", path="test", icon="lab_profile")
    def test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Try it, and say what is found or wrong."""
        source = self.get_object(request, object_id)
        if source is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        context = {
            **self.admin_site.each_context(request), "title": f"Test of {source}", "opts": self.opts,
            "original": source, "found": tried(source), "back": self.address("change", source.pk),
        }  # fmt: skip
        return TemplateResponse(request, "admin/tried.html", context)

    @button("Preview", path="preview", icon="preview")
    def preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show what a run would do."""
        return self.begin(request, object_id, Run.PREVIEW)

    @button("Sync now", path="sync", icon="sync")
    def sync(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Read everything now."""
        return self.begin(request, object_id, Run.FULL)

    @button("Issue a token", path="token", icon="key")
    def token(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Give the client a token."""
        return self.act_on(request, object_id, TOKEN)

    @button("Runs", path="runs", icon="history")
    def its_runs(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Lead to its runs."""
        return HttpResponseRedirect(f"{reverse('admin:authz_run_changelist')}?source__id__exact={int(object_id)}")

    def begin(self, request: HttpRequest, object_id: str, mode: str) -> HttpResponse:
        """Ask for a run, and lead to it."""
        source = self.get_object(request, object_id)
        if source is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        act = Act(
            title="Preview" if mode == Run.PREVIEW else "Sync now",
            warning="Everything is read, and it is shown what would change; nothing is changed."
            if mode == Run.PREVIEW
            else "Everything is read and brought in step. What is too much at once waits for approval.",
            do=lambda row, *, by: runs.ask(row, by=by, mode=mode),
            done="",
            danger=False,
        )
        if request.method == "POST" and "_sure" in request.POST:
            try:
                run = runs.ask(source, by=actor(request), mode=mode)
            except AuthzError as error:
                self.message_user(request, f"{error}.", messages.ERROR)
                return HttpResponseRedirect(self.address("change", source.pk))
            wake()
            return HttpResponseRedirect(reverse("admin:authz_run_change", args=(run.pk,)))
        return self.act_on(request, object_id, act)
