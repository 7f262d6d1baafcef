"""The shapes of answers, for the OpenAPI document alone."""

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

AVATAR = "A path at the address this answer came from: `/api/auth/avatars/…`."


class PrivacyShape(serializers.Serializer[None]):
    find_me = serializers.CharField(help_text="`everyone` or `nobody`.")
    last_seen = serializers.CharField(help_text="`everyone`, `contacts` or `nobody`.")
    read_receipts = serializers.BooleanField()

    class Meta:
        ref_name = "Privacy"


class UserShape(serializers.Serializer[None]):
    id = serializers.CharField()
    username = serializers.CharField()
    email = serializers.EmailField()
    display_name = serializers.CharField()
    bio = serializers.CharField(allow_blank=True)
    avatar = serializers.CharField(allow_null=True, help_text=AVATAR)
    time_zone = serializers.CharField()
    locale = serializers.CharField()
    email_verified = serializers.BooleanField()
    mfa_enabled = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    privacy = PrivacyShape()

    class Meta:
        ref_name = "User"


class TokensShape(serializers.Serializer[None]):
    access = serializers.CharField(help_text="A JWT for both services.")
    refresh = serializers.CharField(help_text="Works once; the answer to it brings the next.")

    class Meta:
        ref_name = "Tokens"


class SignedInShape(TokensShape):
    user = UserShape()

    class Meta:
        ref_name = "SignedIn"


class RegisteredShape(serializers.Serializer[None]):
    user = UserShape()
    access = serializers.CharField(
        allow_null=True, help_text="None where the address has to be confirmed before logging in."
    )
    refresh = serializers.CharField(allow_null=True, help_text="As above.")

    class Meta:
        ref_name = "Registered"


class MailedShape(serializers.Serializer[None]):
    detail = serializers.CharField(help_text="The same for every address.")

    class Meta:
        ref_name = "Mailed"


class PageSignedInShape(serializers.Serializer[None]):
    user = UserShape()
    csrf_token = serializers.CharField(help_text="What the cookie `csrftoken` holds.")

    class Meta:
        ref_name = "PageSignedIn"


# By what is shown in the body: the tokens, or for `session` the rest.
IN_BODY_OR_COOKIES = {
    shape: PolymorphicProxySerializer(
        f"{shape.__name__.removesuffix('Shape')}OrCookies",
        [shape, PageSignedInShape],
        resource_type_field_name=None,
    )
    for shape in (SignedInShape, TokensShape)
}


class EnrolmentShape(serializers.Serializer[None]):
    secret = serializers.CharField(help_text="Base32, to be typed into an authenticator.")
    otpauth_url = serializers.CharField(help_text="The same with all else it needs to know.")
    qr_code = serializers.CharField(help_text="The same as a picture: a `data:` address of SVG.")

    class Meta:
        ref_name = "Enrolment"


class RecoveryCodesShape(serializers.Serializer[None]):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Each works once. They are never shown again."
    )

    class Meta:
        ref_name = "RecoveryCodes"


class ProfileShape(serializers.Serializer[None]):
    id = serializers.CharField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    avatar = serializers.CharField(allow_null=True, help_text=AVATAR)

    class Meta:
        ref_name = "Profile"


class PageShape(serializers.Serializer[None]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)


class ProfilePageShape(PageShape):
    results = ProfileShape(many=True)

    class Meta:
        ref_name = "ProfilePage"


class SessionShape(serializers.Serializer[None]):
    id = serializers.UUIDField()
    device = serializers.CharField(
        allow_blank=True, help_text="The User-Agent it was opened with, cut to 200 characters."
    )
    address = serializers.IPAddressField(allow_null=True, help_text="Where it was last used from.")
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(help_text="When it was last refreshed.")
    current = serializers.BooleanField(help_text="Whether it is the one that asks.")

    class Meta:
        ref_name = "Session"


class SessionPageShape(PageShape):
    results = SessionShape(many=True)

    class Meta:
        ref_name = "SessionPage"


class KeyShape(serializers.Serializer[None]):
    kty = serializers.CharField()
    use = serializers.CharField()
    alg = serializers.CharField()
    kid = serializers.CharField()
    crv = serializers.CharField(required=False)
    x = serializers.CharField(required=False)
    n = serializers.CharField(required=False)
    e = serializers.CharField(required=False)

    class Meta:
        ref_name = "Key"


class KeySetShape(serializers.Serializer[None]):
    keys = KeyShape(many=True)

    class Meta:
        ref_name = "KeySet"
