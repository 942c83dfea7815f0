"""Settings of every process; `PROCESS` (web, worker, command) selects what differs."""

import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from config import env, logs, providers, searching, staff

logs.configure()

BASE_DIR = Path(__file__).resolve().parent.parent
PROCESS = env.text("PROCESS", "command")
DATA_DIR = env.folder("DATA_DIR", BASE_DIR / ".data")
DEBUG = env.flag("DEBUG", False)
PORT = env.integer("PORT", 8000, 1, 65_535)

# A process without SECRET_KEY still starts, but keeps no session beyond its own life; `up` gives all processes one key.
SECRET_KEY = env.text("SECRET_KEY") or secrets.token_urlsafe(48)
ALLOWED_HOSTS = env.names("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
PUBLIC_URL = env.url("PUBLIC_URL", {"http", "https"}, f"http://127.0.0.1:{PORT}")
HTTPS = PUBLIC_URL.startswith("https://")
# Full origins: a pattern without scheme and port would let any port of the host open sockets (TRAPS 1.2).
ALLOWED_ORIGINS = env.names(
    "ALLOWED_ORIGINS", ",".join({PUBLIC_URL, f"http://127.0.0.1:{PORT}", f"http://localhost:{PORT}"})
)
CSRF_TRUSTED_ORIGINS = ALLOWED_ORIGINS

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it takes the place of
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "django_rq",
    "django_htmx",
    "ninja",
    "memory",
    "generation",
    "chat",
    "config.apps.HouseConfig",
]
MIDDLEWARE = [
    "config.middleware.Strangers",
    "config.middleware.Measured",
    "config.security.SecurityHeaders",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "config.middleware.RateLimits",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "config.middleware.Failures",
]
ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # How the sections of a kind look lies with its recipe.
        "DIRS": [BASE_DIR / "templates", *sorted(BASE_DIR.glob("generation/recipes/*/templates"))],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "memory.User"
LOGIN_URL = "sign_in"
PASSWORD_RESET_TIMEOUT = 86_400  # life of a one-time sign-in link
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("fr", "Français")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_I18N = USE_TZ = True

STATIC_URL = "/static/"
# Served from where they lie in the packages: there is no folder to collect them into, and none to forget.
WHITENOISE_USE_FINDERS = True
WHITENOISE_ALLOW_ALL_ORIGINS = False
MEDIA_ROOT = DATA_DIR / "files"

# --- PostgreSQL -----------------------------------------------------------------------------------
DB_THREADS = env.integer("DB_THREADS", 12 if PROCESS == "web" else 4, 1, 200)
DATABASE_URL = env.url("DATABASE_URL", {"postgres", "postgresql"}, "postgresql://postgres@localhost/scriptorium")


def database(url: str) -> dict[str, object]:
    """Django's settings of a `postgresql://user:password@host:port/name?host=/socket/folder` URL."""
    parts = urlsplit(url)
    query = dict(pair.partition("=")[::2] for pair in parts.query.split("&") if pair)
    options: dict[str, object] = {
        # A statement that hangs frees its thread; a forgotten transaction frees its locks. Commits are synchronous.
        "options": "-c statement_timeout=30s -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s"
        " -c synchronous_commit=on -c client_min_messages=warning",
        "connect_timeout": 5,
        # Statements are planned once per connection: half of what PostgreSQL spends on a short run is planning.
        "server_side_binding": True,
        "prepare_threshold": 3,
        "application_name": f"scriptorium-{PROCESS}",
        **{name: unquote(value) for name, value in query.items() if name != "host"},
    }
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", "")) or parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": options,
    }


DATABASES: dict[str, dict[str, object]] = {"default": database(DATABASE_URL)}
if PROCESS == "web":
    # Requests come on a thread each (TRAPS 1.3): connections are pooled, and none is kept by a thread.
    DATABASES["default"]["OPTIONS"]["pool"] = {  # type: ignore[index]
        "min_size": 2,
        "max_size": DB_THREADS + 10,
        "timeout": 10,
        "max_idle": 300,
    }
else:
    # A horse keeps the connections of its few threads for its life; a pool would be shared over the fork (TRAPS 1.3).
    DATABASES["default"]["CONN_MAX_AGE"] = 600

# --- Redis: rings and nudges, never the truth -----------------------------------------------------
REDIS_URL = env.url("REDIS_URL", {"redis", "rediss", "unix"}, "redis://localhost:6379/0")
REDIS_SOCKET_TIMEOUT = 15  # above the 5 s that blocking reads wait: redis-py 8 would cut them otherwise (TRAPS 0.1)
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [{"address": REDIS_URL, "socket_timeout": REDIS_SOCKET_TIMEOUT}], "prefix": "scriptorium"},
    }
}
RQ_SERIALIZER = "rq.serializers.JSONSerializer"
RQ_QUEUES = {
    name: {
        "URL": REDIS_URL,
        "DEFAULT_TIMEOUT": -1,
        "SERIALIZER": RQ_SERIALIZER,
        "REDIS_CLIENT_KWARGS": {"socket_timeout": REDIS_SOCKET_TIMEOUT},
    }
    for name in ("high", "default", "low")
}
RQ_SHOW_ADMIN_LINK = False  # its pages are open to any staff there; ours are superusers' (config/urls.py)
RQ = {"WORKER_CLASS": "generation.worker.Worker", "COMMIT_MODE": "on_db_commit"}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # A request waits for it: a Redis that hangs costs a second, not the request.
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}
SILENCED_SYSTEM_CHECKS: list[str] = []

# --- Runs (DESIGN 4) ------------------------------------------------------------------------------
RUNS_PER_WORKER = env.integer("RUNS_PER_WORKER", 8, 1, 1_000)
CARRY_SECONDS = env.number("CARRY_SECONDS", 300, 0.1, 86_400)  # then a horse claims no more: code and memory stay fresh
RUNS_PER_WEB = env.integer("RUNS_PER_WEB", 400, 1, 10_000)
RUN_PARALLEL = env.integer("RUN_PARALLEL", 64, 1, 10_000)
PROVIDER_PARALLEL = env.integer("PROVIDER_PARALLEL", 256, 1, 100_000)
RUN_DEADLINE_SECONDS = env.number("RUN_DEADLINE_SECONDS", 7_200, 1)
LEASE_SECONDS = env.number("LEASE_SECONDS", 10, 0.5, 3_600)
SWEEP_SECONDS = env.number("SWEEP_SECONDS", 3, 0.1, 3_600)
RENUDGE_SECONDS = env.number("RENUDGE_SECONDS", 10, 0.1, 3_600)
RUNS_OPEN_PER_USER = env.integer("RUNS_OPEN_PER_USER", 50, 1, 1_000_000)
CALL_RETENTION_DAYS = env.integer("CALL_RETENTION_DAYS", 30, 0, 36_500)
EVENT_RETENTION_DAYS = env.integer("EVENT_RETENTION_DAYS", 7, 0, 36_500)
# What is due now and then: a function that does one piece of it, and seconds until it is due again.
CHORES = {
    "retention": ("generation.retention.apply_some", 3_600.0),
    "dormancy": ("chat.sessions.rest_quiet", 300.0),
    "burials": ("chat.sessions.bury", 60.0),
}
# What errors say to a person: a table of each app.
SENTENCES = ["memory.sentences.SENTENCES", "generation.sentences.SENTENCES", "chat.sentences.SENTENCES"]
# A run names its job by dotted path; only paths below these are ever imported.
RUN_JOBS = ["generation.recipes.", "chat."]

PROMPT_MAX_CHARACTERS = env.integer("PROMPT_MAX_CHARACTERS", 100_000, 1)  # of a version
# Off, everybody has what is in production, whatever experiments run.
ENABLE_PROMPT_AB_TESTING = env.flag("ENABLE_PROMPT_AB_TESTING", True)
PROMPT_FILES = ["generation/recipes/*/prompts/*.md", "generation/house/prompts/*.md", "chat/agents/prompts/*.md"]

# What a run shows its models of the files given with it; and of brief and files together where many calls ask about one
# part each, as exercises do: so the largest course with the largest files stays within BUDGET_RUN_TOKENS.
SOURCES_TOKENS = env.integer("SOURCES_TOKENS", 30_000, 100)
EXTRACT_TOKENS = env.integer("EXTRACT_TOKENS", 3_500, 100)

# --- Conversations --------------------------------------------------------------------------------
SESSION_IDLE_SECONDS = env.number("SESSION_IDLE_SECONDS", 1_800, 1)  # then it is dormant, until somebody goes on
SESSION_REST_AT_ONCE = 500
MESSAGE_MAX_CHARACTERS = 50_000
TURNS_OPEN_PER_USER = env.integer("TURNS_OPEN_PER_USER", 20, 1, 1_000_000)
# What an answer is shown: of it, at most half is of the documents and files that the conversation is about.
CHAT_CONTEXT_TOKENS = env.integer("CHAT_CONTEXT_TOKENS", 16_000, 500)
CHAT_CONTEXT_MESSAGES = env.integer("CHAT_CONTEXT_MESSAGES", 50, 2, 1_000)
TOOL_RESULT_TOKENS = env.integer("TOOL_RESULT_TOKENS", 6_000, 100)  # of an object that a tool reads

# --- Budgets: 0 means no limit --------------------------------------------------------------------
BUDGET_RUN_USD = env.number("BUDGET_RUN_USD", 5)
BUDGET_USER_DAY_USD = env.number("BUDGET_USER_DAY_USD", 20)
BUDGET_WORKSPACE_DAY_USD = env.number("BUDGET_WORKSPACE_DAY_USD", 100)
BUDGET_RUN_TOKENS = env.integer("BUDGET_RUN_TOKENS", 2_000_000)
BUDGET_USER_DAY_TOKENS = env.integer("BUDGET_USER_DAY_TOKENS", 20_000_000)
BUDGET_WORKSPACE_DAY_TOKENS = env.integer("BUDGET_WORKSPACE_DAY_TOKENS", 100_000_000)

# --- Models: keys live in the environment and nowhere else ----------------------------------------
# <NAME>_API_KEY, <NAME>_BASE_URL and <NAME>_MODEL of each known provider; by its name, where the environment has one.
MODEL_KEYS = providers.keys()
MODEL_URLS = providers.urls()
MODEL_NAMES = providers.models()
DEMO_BASE_URL = env.url("DEMO_BASE_URL", {"http", "https"}, "http://127.0.0.1:8091/v1")

# Seconds: to connect, to the first content, between two pieces of it, in all.
MODEL_TIMEOUTS = {"connect": 10, "first_token": 60, "idle": 30, "total": 600}

# --- The web --------------------------------------------------------------------------------------
WEB_SEARCH = searching.engine()
SEARXNG_URL = env.url("SEARXNG_URL", {"http", "https"})
TAVILY_API_KEY = env.text("TAVILY_API_KEY")
TAVILY_BASE_URL = env.url("TAVILY_BASE_URL", {"http", "https"}, "https://api.tavily.com")
# How pages are reached. No variable of the environment may say so, and `check --deploy` refuses any other.
WEB_NETWORK = "generation.web.network.Internet"

# --- Limits at the doors --------------------------------------------------------------------------
RATE_LIMIT_ENABLED = env.flag("RATE_LIMIT_ENABLED", True)
RATE_LIMIT_RPM = env.integer("RATE_LIMIT_RPM", 60, 1, 1_000_000)
RATE_LIMIT_TRUSTED_PROXIES = env.integer("RATE_LIMIT_TRUSTED_PROXIES", 0, 0, 10)
RATELIMIT_IP_META_KEY = "memory.base.limits.client_ip"
RATELIMIT_FAIL_OPEN = True  # a counter that expired between two commands is no reason to refuse
BRIEF_MAX_CHARACTERS = 50_000
UPLOAD_MAX_BYTES = 10 * 1024 * 1024
RUN_MAX_FILES = 20
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3_000  # an evaluation of 40 questions with 5 answers each is one form
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
FILE_UPLOAD_HANDLERS = [
    "memory.uploads.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- The pages of staff: django-unfold ------------------------------------------------------------
UNFOLD = staff.UNFOLD

# --- Browser security -----------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "config.failures.csrf_failed"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SECURE_SSL_REDIRECT = env.flag("SECURE_SSL_REDIRECT", HTTPS)
SECURE_REDIRECT_EXEMPT = ["^health/", "^metrics$"]  # asked from inside, by plain HTTP
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
