"""The second half of a login."""

from accounts.actions.mfa.challenges import find_challenge, take_challenge
from accounts.actions.mfa.codes import with_code
from accounts.actions.sessions import SignedIn, open_session
from accounts.devices import Device
from accounts.errors import LoginCodeRefused, WrongCode
from accounts.models import User


def log_in_with_code(*, challenge: str, code: str, device: Device) -> tuple[SignedIn, bool]:
    """Open the session that a challenge of `log_in` stands for, and say whether for a page.

    A challenge opens one session; LoginCodeRefused leaves it as it was.
    """
    held = find_challenge(challenge, address=device.address)

    def open_once(user: User) -> SignedIn:
        take_challenge(held, user)
        return open_session(user=user, device=device, event="login.succeeded")

    try:
        signed_in = with_code(user=held.user, code=code, address=device.address, act=open_once)
    except WrongCode as error:
        raise LoginCodeRefused(error) from error
    return signed_in, held.in_cookies
