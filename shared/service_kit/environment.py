"""Settings from the process environment first, and from `configs/env/<service>.env` second."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ  # type: ignore[import-untyped]
from django.core.exceptions import ImproperlyConfigured

FOLDER = Path(__file__).resolve().parent.parent / "configs" / "env"
SECRET_LENGTH = 32
ALGORITHMS = {"EdDSA", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384"}
SHARED_SECRET_ALGORITHMS = {"HS256", "HS384", "HS512"}

_ORIGIN = re.compile(r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_PLACEHOLDER_PARTS = ("changeme", "placeholder", "insecure", "replaceme", "yoursecret")
_PLACEHOLDERS = {"secret", "password", "default", "example", "test", "admin", "postgres"}


class Environment(environ.Env):  # type: ignore[misc]
    """django-environ (`env.bool("DEBUG", default=False)`, `env.int`, `env.list` …) plus our rules.

    Reading never changes os.environ. No message ever holds a value, only names.
    """

    def __init__(self, service: str, *, folder: Path = FOLDER) -> None:
        super().__init__()
        self.service = service
        self.ENVIRON = _read(folder / f"{service}.env") | dict(os.environ)
        self.is_debug: bool = self.bool("DEBUG", default=False)

    def required(self, name: str) -> str:
        """Return the value as written; raise ImproperlyConfigured where it is missing or empty."""
        value = self.ENVIRON.get(name, "")
        if not value:
            raise ImproperlyConfigured(f"{name} must be set")
        return str(value)

    def secret(self, name: str) -> str:
        """Return a required secret; outside DEBUG refuse placeholders and short ones."""
        value = self._genuine(name, self.required(name))
        if len(value) < SECRET_LENGTH and not self.is_debug:
            raise ImproperlyConfigured(f"{name} must be at least {SECRET_LENGTH} characters long")
        return value

    def password(self, name: str, *, default: str) -> str:
        """Return what others know us by, as written; outside DEBUG refuse a placeholder."""
        return self._genuine(name, self.ENVIRON.get(name, default))

    def credentials(self, name: str, *, default: dict[str, str]) -> dict[str, str]:
        """Return pairs `A=b,C=d`; outside DEBUG refuse them with a placeholder in one."""
        self._genuine(name, self.ENVIRON.get(name, ""))
        pairs: dict[str, str] = self.dict(name, default=default)
        return pairs

    def database(self) -> dict[str, Any]:
        """Return Django's DATABASES["default"] from DB_HOST DB_PORT DB_NAME DB_USER DB_PASSWORD.

        Connections stay open, and one that has ended is replaced before a request needs it.
        DB_PASSWORD must be set, but may be empty where Postgres trusts.
        """
        if "DB_PASSWORD" not in self.ENVIRON:
            raise ImproperlyConfigured("DB_PASSWORD must be set")
        return {
            "ENGINE": "service_kit.postgresql",
            "HOST": self.required("DB_HOST"),
            "PORT": self.required("DB_PORT"),
            "NAME": self.required("DB_NAME"),
            "USER": self.required("DB_USER"),
            "PASSWORD": self._genuine("DB_PASSWORD", self.ENVIRON["DB_PASSWORD"]),
            "CONN_MAX_AGE": None,
            "CONN_HEALTH_CHECKS": True,
            "OPTIONS": {
                "application_name": self.service,
                # A statement whose client gave up must not go on holding its locks.
                "options": "-c client_connection_check_interval=1000",
            },
        }

    def origins(self, name: str) -> frozenset[str]:
        """Return full origins, as browsers write them; raise ImproperlyConfigured for others."""
        origins = {origin.strip().lower().rstrip("/") for origin in self.list(name, default=[])}
        if not all(map(_ORIGIN.fullmatch, origins)):
            raise ImproperlyConfigured(f"{name} must hold full origins: https://app.example.org")
        return frozenset(origins)

    def redis_url(self) -> str:
        """Return REDIS_URL, or one made of REDIS_HOST and REDIS_PORT."""
        if not self.ENVIRON.get("REDIS_URL"):
            return f"redis://{self.required('REDIS_HOST')}:{self.required('REDIS_PORT')}/0"
        url = self.required("REDIS_URL")
        self._genuine("REDIS_URL", urlsplit(url).password or "")
        return url

    def jwt(self) -> dict[str, str]:
        """Return JWT_ALGORITHM, _PUBLIC_KEY, _SECRET, _ISSUER and _AUDIENCE, checked together.

        An algorithm with a shared secret needs JWT_SECRET and excludes JWT_PUBLIC_KEY; the others
        exclude JWT_SECRET. The audience is the service's own name unless set.
        """
        settings = {
            "JWT_ALGORITHM": self.ENVIRON.get("JWT_ALGORITHM") or "EdDSA",
            "JWT_PUBLIC_KEY": self.ENVIRON.get("JWT_PUBLIC_KEY", "").replace("\\n", "\n"),
            "JWT_SECRET": self.secret("JWT_SECRET") if self.ENVIRON.get("JWT_SECRET") else "",
            "JWT_ISSUER": self.ENVIRON.get("JWT_ISSUER") or "parley",
            "JWT_AUDIENCE": self.ENVIRON.get("JWT_AUDIENCE") or self.service,
        }
        _check_jwt(settings)
        return settings

    def _genuine(self, name: str, value: str) -> str:
        if not self.is_debug and is_placeholder(value):
            raise ImproperlyConfigured(f"{name} is a placeholder: set a value of your own")
        return value


def is_placeholder(value: str) -> bool:
    """Tell whether a secret is one that people are meant to replace, such as `change-me`."""
    plain = "".join(letter for letter in value.lower() if letter.isalnum())
    return plain in _PLACEHOLDERS or any(part in plain for part in _PLACEHOLDER_PARTS)


def _read(file: Path) -> dict[str, str]:
    class Reader(environ.Env):  # type: ignore[misc]
        ENVIRON: dict[str, str] = {}

    if file.is_file():
        Reader.read_env(file)
    return Reader.ENVIRON


def _check_jwt(settings: dict[str, str]) -> None:
    algorithm = settings["JWT_ALGORITHM"]
    if algorithm in SHARED_SECRET_ALGORITHMS:
        if not settings["JWT_SECRET"] or settings["JWT_PUBLIC_KEY"]:
            raise ImproperlyConfigured(
                f"JWT_ALGORITHM {algorithm} needs JWT_SECRET and no JWT_PUBLIC_KEY"
            )
    elif algorithm not in ALGORITHMS:
        raise ImproperlyConfigured("JWT_ALGORITHM is not one that can be trusted")
    elif settings["JWT_SECRET"]:
        raise ImproperlyConfigured(f"JWT_ALGORITHM {algorithm} has no use for JWT_SECRET")
