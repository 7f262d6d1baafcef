"""What a person shows beside a password."""

from django.db import models

from accounts.models.people import User


class SecondFactor(models.Model):
    """The secret of a person's authenticator, sealed; good for nothing before `mfa_enabled_at`.

    `last_step` is the thirty seconds whose code was used last: no code of then or before is taken.
    """

    user = models.OneToOneField(
        User, on_delete=models.CASCADE, primary_key=True, related_name="second_factor"
    )
    sealed = models.BinaryField()
    last_step = models.BigIntegerField(null=True)

    objects: models.Manager["SecondFactor"] = models.Manager()

    def __str__(self) -> str:
        return str(self.user_id)


class RecoveryCode(models.Model):
    """A code that stands in for the authenticator once, as its hash: it is deleted with its use."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.BinaryField(max_length=32, unique=True)

    objects: models.Manager["RecoveryCode"] = models.Manager()

    def __str__(self) -> str:
        return str(self.user_id)


class LoginChallenge(models.Model):
    """A login that has shown the password and lacks a code; kept as a hash, deleted with its use.

    It is worth nothing once the password is another (`auth_hash`). `in_cookies` is how the tokens
    were asked for.
    """

    challenge_hash = models.BinaryField(primary_key=True, max_length=32)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="login_challenges")
    auth_hash = models.CharField(max_length=64)
    in_cookies = models.BooleanField()
    expires_at = models.DateTimeField()

    objects: models.Manager["LoginChallenge"] = models.Manager()

    def __str__(self) -> str:
        return str(self.user_id)
