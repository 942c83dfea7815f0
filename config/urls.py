"""The map of the product."""

from django.contrib import admin
from django.urls import include, path

from config import health
from config.api import api
from generation import views as generation
from memory import views as memory

urlpatterns = [
    # People
    path("sign-in/<uuid:user_id>/<str:token>/", memory.sign_in, name="sign_in"),
    # Pictures
    path("diagrams/<slug:digest>.svg", generation.diagram, name="diagram"),
    # Programs
    path("api/v1/runs/<uuid:run_id>/events", generation.events, name="events"),
    path("api/v1/documents/<uuid:document_id>/export", generation.export, name="export"),
    path("api/", api.urls),
    # Staff
    path("admin/rq/", include("config.queues")),
    path("admin/", admin.site.urls),
    # Machines
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", health.metrics, name="metrics"),
]

handler400 = "config.failures.bad_request"
handler403 = "config.failures.forbidden"
handler404 = "config.failures.not_found"
handler500 = "config.failures.broken"
