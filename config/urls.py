"""The map of the product."""

from django.contrib import admin
from django.urls import path

urlpatterns = [
    # Staff
    path("admin/", admin.site.urls),
]
