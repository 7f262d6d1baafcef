"""Writing down what is to be mailed, in the transaction of what it is about.

tell_owner      what happened to an account, to the address it has
mail_code       a code, to whoever has an address; whether anybody has is looked up later
forget_mails    nothing more to an account

accounts.actions.sending sends them, within a second if the mail server takes them.
"""

from django.db.models import Q, Value
from django.db.models.functions import Lower

from accounts.letters import Notice
from accounts.models import Mail, User
from service_kit.addresses import caller_address


def tell_owner(notice: Notice, *, user: User) -> None:
    """Mail the owner what happened, and from which address the request at hand came.

    The account may be gone when it is sent. In the caller's transaction: no commit, no mail.
    """
    Mail.objects.create(
        kind=notice,
        user_id=user.pk,
        username=user.username,
        address=user.email,
        caller=caller_address.get() or None,
    )


def mail_code(purpose: str, *, address: str) -> None:
    """Mail a code for a purpose of MailCode, if an account with this address can use one.

    The same work whether there is one or not: nobody learns it from the time this takes.
    """
    Mail.objects.create(kind=purpose, address=address)


def forget_mails(*, user: User) -> None:
    """Send nothing that was written down for a person so far, in the caller's transaction."""
    mails = Mail.objects.alias(to=Lower("address"))
    mails.filter(Q(user_id=user.pk) | Q(to=Lower(Value(user.email)))).delete()
