"""Every path of auth_service's API."""

from django.urls import path

from accounts.http.avatars import AvatarFileView, AvatarView
from accounts.http.devices import SessionsView, SessionView
from accounts.http.internal import InternalEventsView, InternalUsersView
from accounts.http.keys import KeysView
from accounts.http.leaving import ExportView
from accounts.http.mail_pages import ResetPasswordPage, VerifyEmailPage
from accounts.http.mails import (
    EmailResendView,
    EmailVerifyView,
    PasswordResetConfirmView,
    PasswordResetView,
)
from accounts.http.me import MeView
from accounts.http.mfa import MfaConfirmView, MfaView, RecoveryCodesView
from accounts.http.passwords import PasswordChangeView
from accounts.http.sessions import (
    LoginMfaView,
    LoginView,
    LogoutAllView,
    LogoutView,
    RefreshView,
    RegisterView,
)
from accounts.http.users import UserByUsernameView, UsersView, UserView

urlpatterns = [
    path("api/auth/register/", RegisterView.as_view()),
    path("api/auth/login/", LoginView.as_view()),
    path("api/auth/login/mfa/", LoginMfaView.as_view()),
    path("api/auth/refresh/", RefreshView.as_view()),
    path("api/auth/logout/", LogoutView.as_view()),
    path("api/auth/logout-all/", LogoutAllView.as_view()),
    path("api/auth/sessions/", SessionsView.as_view()),
    path("api/auth/sessions/<str:session_id>/", SessionView.as_view()),
    path("api/auth/password/change/", PasswordChangeView.as_view()),
    path("api/auth/password/reset/", PasswordResetView.as_view()),
    path("api/auth/password/reset/confirm/", PasswordResetConfirmView.as_view()),
    path("api/auth/email/verify/", EmailVerifyView.as_view()),
    path("api/auth/email/resend/", EmailResendView.as_view()),
    path("api/auth/pages/verify-email/", VerifyEmailPage.as_view()),
    path("api/auth/pages/reset-password/", ResetPasswordPage.as_view()),
    path("api/auth/me/", MeView.as_view()),
    path("api/auth/me/avatar/", AvatarView.as_view()),
    path("api/auth/avatars/<str:user_id>/<str:name>", AvatarFileView.as_view()),
    path("api/auth/me/export/", ExportView.as_view()),
    path("api/auth/me/mfa/", MfaView.as_view()),
    path("api/auth/me/mfa/confirm/", MfaConfirmView.as_view()),
    path("api/auth/me/mfa/recovery-codes/", RecoveryCodesView.as_view()),
    path("api/auth/users/", UsersView.as_view()),
    path("api/auth/users/<str:user_id>/", UserView.as_view()),
    path("api/auth/users/by-username/<str:username>/", UserByUsernameView.as_view()),
    path(".well-known/jwks.json", KeysView.as_view()),
    path("internal/events/", InternalEventsView.as_view()),
    path("internal/users/", InternalUsersView.as_view()),
]
