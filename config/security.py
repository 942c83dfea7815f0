"""What a browser may do with our answers: a content policy by place, and the headers that go with it."""

import secrets

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from config.middleware import Around

# Pictures of other hosts are how a model's text could carry a secret away; nothing of ours needs them.
PAGE = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
NOTHING = "default-src 'none'; frame-ancestors 'none'"
# unfold's Alpine makes functions of the expressions in attributes, and writes style attributes. No script and no style
# stands inside the HTML, and no text of people is rendered there as more than text.
STAFF = PAGE.replace("'nonce-{nonce}'", "'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self'; style-src-attr 'unsafe-inline'"
)
# The pages of django-rq bring scripts and styles inside their HTML. Superusers only, and no text of others on them.
INLINE = PAGE.replace("'nonce-{nonce}'", "'unsafe-inline' 'unsafe-eval'").replace(
    "style-src 'self'", "style-src 'self' 'unsafe-inline'"
)

# The first prefix that fits decides.
POLICIES = (
    ("/admin/rq/", INLINE),
    ("/admin/", STAFF),
    ("/api/docs", PAGE),
    ("/api/", NOTHING),
    ("", PAGE),
)
HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    "X-Permitted-Cross-Domain-Policies": "none",
}


class SecurityHeaders(Around):
    """Every answer has a policy. A page marks its own scripts with `{{ request.csp_nonce }}`, new each time."""

    def before(self, request: HttpRequest) -> str:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        return nonce

    def after(self, request: HttpRequest, response: HttpResponseBase, begun: str) -> HttpResponseBase:
        policy = next(policy for prefix, policy in POLICIES if request.path.startswith(prefix))
        response.headers.setdefault("Content-Security-Policy", policy.format(nonce=begun))
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        if request.path.startswith("/api/"):
            response.headers.setdefault("Cache-Control", "no-store")
        return response
