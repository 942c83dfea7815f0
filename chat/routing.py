"""The sockets of the product."""

from django.urls import path

from chat.consumers import Socket

urlpatterns = [
    path("ws/", Socket.as_asgi()),
]
