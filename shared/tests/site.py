"""A small site with one view for everything that can go wrong."""

import redis.exceptions
from django.db import OperationalError
from django.http import Http404, HttpResponse
from django.urls import path
from rest_framework import exceptions, serializers
from rest_framework.permissions import AllowAny
from rest_framework.response import Response
from rest_framework.views import APIView

from service_kit.health import check_postgres, check_redis, live, ready
from service_kit.refusals import Refusal

handler400 = "service_kit.problems.bad_request"
handler403 = "service_kit.problems.forbidden"
handler404 = "service_kit.problems.not_found"
handler500 = "service_kit.problems.server_error"


class Echo(APIView):
    permission_classes = [AllowAny]

    def post(self, request):
        return Response({"got": request.data})


class Whoami(APIView):
    def get(self, request):
        return Response({"id": request.user.id, "session": request.auth.session_id})


class Inner(serializers.Serializer):
    amount = serializers.IntegerField(min_value=1)


class Outer(serializers.Serializer):
    name = serializers.CharField(max_length=3)
    inner = Inner()
    many = Inner(many=True)
    words = serializers.ListField(child=serializers.CharField(max_length=2))

    def validate(self, attrs):
        raise serializers.ValidationError("Never.", code="never")


class Fill(APIView):
    permission_classes = [AllowAny]

    def post(self, request):
        Outer(data=request.data).is_valid(raise_exception=True)


RAISED = {
    "forbidden": exceptions.PermissionDenied(),
    "missing": Http404("row 17 of the secret table"),
    "slow": exceptions.Throttled(wait=2.1),
    "away": OperationalError("server closed the connection"),
    "redis": redis.exceptions.TimeoutError("no answer"),
    "bug": RuntimeError("the secret of the bug"),
    "refused": Refusal("client_id_reused", "Used before."),
}


class Raise(APIView):
    permission_classes = [AllowAny]

    def get(self, request, what):
        raise RAISED[what]


def plain(request, what):
    raise RAISED[what]


def down():
    raise RuntimeError("postgres://user:secret@host is away")


def hello(request):
    return HttpResponse("hello")


def kept(request):
    return HttpResponse("kept", headers={"Cache-Control": "public, max-age=300"})


urlpatterns = [
    path("echo/", Echo.as_view()),
    path("whoami/", Whoami.as_view()),
    path("fill/", Fill.as_view()),
    path("raise/<str:what>/", Raise.as_view()),
    path("plain/<str:what>/", plain),
    path("hello/", hello),
    path("kept/", kept),
    path("health/live", live),
    path("health/ready", ready({"postgres": check_postgres, "redis": check_redis})),
    path("health/broken", ready({"postgres": down, "redis": check_redis})),
]
