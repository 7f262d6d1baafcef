"""What is to be mailed, and the codes that were."""

from django.db import models
from django.db.models.functions import Now

from accounts.models.people import User


class Mail(models.Model):
    """A mail still to be sent, written in the transaction of what it is about; then it is deleted.

    No code stands in it: one is made when the mail is sent. `address` may be one that somebody
    typed and nobody has, and a mail outlives the account it is about: there is no foreign key.
    `caller` is where it was done from, as told to the owner.
    """

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(max_length=32)
    user_id = models.BigIntegerField(null=True)
    username = models.CharField(max_length=32, blank=True)
    address = models.CharField(max_length=254)
    caller = models.GenericIPAddressField(null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    due_at = models.DateTimeField(db_default=Now(), db_index=True)
    tries = models.SmallIntegerField(default=0, db_default=0)

    objects: models.Manager["Mail"] = models.Manager()

    def __str__(self) -> str:
        return f"{self.pk} {self.kind}"


class MailCode(models.Model):
    """A code mailed to a person for a purpose, as hashes: `token` is that of the link beside it.

    Several may hold at once: what somebody else asked for must not end the code one has.
    """

    VERIFY, RESET = "verify", "reset"

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="mail_codes")
    purpose = models.CharField(max_length=8)
    code_hash = models.BinaryField(max_length=32)
    token_hash = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    objects: models.Manager["MailCode"] = models.Manager()

    def __str__(self) -> str:
        return f"{self.user_id} {self.purpose}"
