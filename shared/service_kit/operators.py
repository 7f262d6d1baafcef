"""What Django's admin needs of a service's settings; it is served to operators alone.

The gateway routes /admin/<service>/ from the operators' entry point only. Both services share its
host name, and cookies know no ports: so the names of its cookies differ, and so do their paths.
"""

from typing import Any, Final

APPS: Final = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
]
MIDDLEWARE: Final = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
CONTEXT: Final = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
HOURS_SIGNED_IN: Final = 8


def admin_settings(name: str, *, secure: bool) -> dict[str, Any]:
    """Return the settings of an admin at /admin/<name>/, to be taken over with `vars().update`."""
    path = f"/admin/{name}/"
    return {
        "STATIC_URL": f"{path}static/",
        "TEMPLATES": [
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {"context_processors": CONTEXT},
            }
        ],
        "SESSION_COOKIE_NAME": f"{name}_operator",
        "SESSION_COOKIE_PATH": path,
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_SECURE": secure,
        "SESSION_COOKIE_AGE": HOURS_SIGNED_IN * 3600,
        "CSRF_COOKIE_NAME": f"{name}_operator_csrf",
        "CSRF_COOKIE_PATH": path,
        "CSRF_COOKIE_SAMESITE": "Strict",
        "CSRF_COOKIE_SECURE": secure,
    }
