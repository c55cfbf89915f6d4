"""Failed sign-ins, remembered for as long as they slow down the next."""

from django.db import models


class FailedSignIn(models.Model):
    """One wrong password, counted against the account and against the address it came from."""

    account = models.CharField(max_length=254)
    address = models.CharField(max_length=45)
    at = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=("account", "at")), models.Index(fields=("address", "at")))

    def __str__(self) -> str:
        """Return what was tried from where."""
        return f"{self.account} from {self.address}"
