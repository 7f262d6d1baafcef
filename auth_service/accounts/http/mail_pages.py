"""The pages that links in mails lead to: each a form that does what its mail is about.

Programs that look at mails open their links too, so GET changes nothing and looks nothing up. What
is in the address of a page goes nowhere: not to another site, nor into any log.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, ClassVar, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from accounts.actions.reset import reset_password_by_link
from accounts.actions.verification import verify_email_by_link
from accounts.http.mails import CodeInput, ResetInput
from accounts.http.views import read_input
from service_kit.addresses import caller_address
from service_kit.refusals import Refusal, as_refusal
from service_kit.security import tell_refusal

STYLE: Final = (
    "body{font:1rem/1.5 system-ui,sans-serif;margin:4rem auto;max-width:28rem;padding:0 1rem}"
    "input,button{box-sizing:border-box;display:block;font:inherit;margin:.5rem 0 1rem;"
    "padding:.5rem;width:100%}"
)
_STYLE_HASH: Final = b64encode(sha256(STYLE.encode()).digest()).decode()
HEADERS: Final = {
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
        " base-uri 'none'; frame-ancestors 'none'"
    ),
    # Not no-referrer: then a browser would not say of which origin the form is.
    "Referrer-Policy": "strict-origin",
}


@method_decorator(csrf_exempt, name="dispatch")
class MailPage(View):
    """Shows the form of a link, and does what it is for; the token in it is the only credential."""

    title: ClassVar[str]
    button: ClassVar[str]
    done: ClassVar[str]
    asks_password: ClassVar[bool] = False

    def act(self, given: Mapping[str, str]) -> None:
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(request, request.GET.get("token", ""))

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            self.act(request.POST.dict())
        except Exception as error:
            refusal = as_refusal(error)
            if refusal is None:
                raise
            tell_refusal(refusal, request)
            return self._refused(request, refusal)
        return self._page(request, [self.done])

    def _refused(self, request: HttpRequest, refusal: Refusal) -> HttpResponse:
        lines = [each["detail"] for each in refusal.errors] or [refusal.detail]
        response = self._form(request, request.POST.get("token", ""), lines)
        response.status_code = refusal.status
        if refusal.retry_after is not None:
            response["Retry-After"] = str(refusal.retry_after)
        return response

    def _form(self, request: HttpRequest, token: str, lines: Sequence[str] = ()) -> HttpResponse:
        form = {"button": self.button, "asks_password": self.asks_password}
        return self._page(request, lines, token=token, **form)

    def _page(self, request: HttpRequest, lines: Sequence[str], **form: object) -> HttpResponse:
        shown: dict[str, Any] = {"title": self.title, "lines": lines, "style": STYLE, **form}
        response = render(request, "accounts/mail_page.html", shown)
        for name, value in HEADERS.items():
            response[name] = value
        return response


class VerifyEmailPage(MailPage):
    title = "Confirm your e-mail address"
    button = "This is my address"
    done = "Your address is confirmed. You can close this page."

    def act(self, given: Mapping[str, str]) -> None:
        asked = read_input(CodeInput, {"token": given.get("token", "")})
        verify_email_by_link(token=asked["token"], caller=caller_address.get())


class ResetPasswordPage(MailPage):
    title = "Reset your password"
    button = "Set this password"
    done = "Your password is set, and every session of yours was ended. You can log in with it now."
    asks_password = True

    def act(self, given: Mapping[str, str]) -> None:
        fields = {name: given.get(name, "") for name in ("token", "new_password")}
        asked = read_input(ResetInput, fields)
        reset_password_by_link(**asked, caller=caller_address.get())
