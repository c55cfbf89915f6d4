"""Foreign issuers whose JWTs we accept."""

from django.db import models


def default_algorithms() -> list[str]:
    """Return the algorithms a new issuer may use."""
    return ["RS256", "ES256", "EdDSA"]


class Issuer(models.Model):
    """Somebody whose signature on a JWT names a person."""

    name = models.CharField(max_length=100, unique=True)
    issuer = models.CharField(
        max_length=500, unique=True, help_text="Exactly the iss claim of its tokens, character by character."
    )
    audiences = models.JSONField(
        default=list, help_text="Accepted aud claims, one per line; a token for anybody else is refused."
    )
    claim = models.CharField(
        max_length=100, default="email", help_text="The claim that holds the person's e-mail address."
    )
    algorithms = models.JSONField(default=default_algorithms)
    jwks_url = models.CharField(
        "JWKS address", max_length=500, blank=True, default="", help_text="Where its public keys are fetched …"
    )
    jwks = models.TextField(
        "JWKS", blank=True, default="", help_text='… or the keys themselves: {"keys": […]} (RFC 7517).'
    )
    id_tokens = models.BooleanField(
        "takes ID tokens",
        default=False,
        help_text="An ID token tells an application who signed in; it is meant for that application and for nobody's "
        "access. Only for clients that send nothing else.",
    )
    enabled = models.BooleanField(default=True, help_text="Switched off, all its tokens are refused at once.")

    class Meta:
        verbose_name = "trusted issuer"
        ordering = ("name",)

    def __str__(self) -> str:
        """Return the name."""
        return self.name
