"""What can be reached: MCP servers, web applications, capabilities, and the portal itself."""

from django.db import models

from authz.decisions.vocabulary import Kind


class Server(models.Model):
    """Something that grants can open."""

    class Kinds(models.TextChoices):
        """The kinds of `authz.decisions.vocabulary.Kind`, with their labels."""

        MCP = Kind.MCP.value, "MCP server"
        WEB = Kind.WEB.value, "web application"
        CAPABILITY = Kind.CAPABILITY.value, "capability (feature flag)"
        PORTAL = Kind.PORTAL.value, "this portal"

    name = models.CharField(max_length=200, help_text="What people and grants call it.")
    folded = models.CharField(max_length=400, unique=True, editable=False)
    kind = models.CharField(
        max_length=20,
        choices=Kinds.choices,
        default=Kinds.MCP,
        help_text="MCP servers have tools; a capability is a name without an address.",
    )
    description = models.TextField(blank=True, default="")
    enabled = models.BooleanField(default=True, help_text="Switched off, it is closed to everyone.")
    mcp_path = models.CharField(
        "MCP path",
        max_length=200,
        blank=True,
        default="",
        help_text="Where below each path prefix MCP is spoken, such as mcp; empty for the prefix itself. "
        "Grants on single tools hold only there.",
    )
    verifies_headers = models.BooleanField(
        "checks the Mcp headers",
        default=False,
        help_text="Only if it refuses a request whose Mcp-Method or Mcp-Name differs from its body, as protocol "
        "version 2026-07-28 demands. Until then, grants on single tools open nothing but what calls no tool.",
    )
    upstream = models.CharField(
        "WebSocket upstream",
        max_length=500,
        blank=True,
        default="",
        help_text="Where /ws/<name>/ is carried to, such as ws://chat:8000/ws; empty for nowhere.",
    )
    longest = models.PositiveIntegerField(
        "longest connection",
        null=True,
        blank=True,
        help_text="Seconds that a WebSocket to it may live; empty for AUTHZ_SOCKET_MAX_LIFETIME.",
    )
    notices = models.BooleanField(
        "sends notices",
        default=False,
        help_text='Its clients understand {"type": "gatehouse.ending", …} in their stream, sent before the end.',
    )
    any_origin = models.BooleanField(
        "WebSockets from any page",
        default=False,
        help_text="Only if it checks Origin itself, or knows people by something else than the session cookie: "
        "any page that somebody has open could otherwise speak to it in their name.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        """Return the name."""
        return self.name


class Route(models.Model):
    """A host and a path prefix that lead to a server."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="routes")
    host = models.CharField(
        max_length=260, help_text="chat.example.com, chat.example.com:8443, or * for any host of the proxy."
    )
    prefix = models.CharField(
        "path prefix", max_length=500, default="/", help_text="/mcp/search covers itself and all below it."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("host", "prefix"),
                name="one_server_per_route",
                violation_error_message="This host and path prefix already lead to a server.",
            ),
        )

    def __str__(self) -> str:
        """Return the route as a URL without its scheme."""
        return f"{self.host}{self.prefix}"


class Tool(models.Model):
    """A tool that an MCP server offers."""

    server = models.ForeignKey(Server, on_delete=models.CASCADE, related_name="tools")
    name = models.CharField(max_length=200, help_text="Exactly as the server calls it; case matters.")
    description = models.CharField(max_length=500, blank=True, default="")
    enabled = models.BooleanField(default=True, help_text="Switched off, nobody may call it.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=("server", "name"), name="one_tool_per_name"),)
        ordering = ("name",)

    def __str__(self) -> str:
        """Return the name."""
        return self.name
