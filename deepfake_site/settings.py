"""All configuration. Every value comes from the environment (README, "Configuration"), every path from BASE_DIR."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from csp.constants import NONE, SELF

from deepfake_site import environment as env
from detection import logs
from detection.modules import MODULES
from detection.records.files import locked

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = env.boolean("DEEPFAKE_DEBUG", False)
OWN_NAMES = ("127.0.0.1", "localhost", "[::1]")
ALLOWED_HOSTS = [*env.names("DEEPFAKE_HOSTS", ("testserver",)), *OWN_NAMES]  # monitors ask on this machine

MEDIA_ROOT = env.folder("DEEPFAKE_MEDIA", Path("media"), BASE_DIR)
MEDIA_URL = "/media/"

if not os.access(BASE_DIR / "relitalk", os.W_OK):  # another user installed it: compiled code is kept elsewhere
    os.environ.setdefault("NUMBA_CACHE_DIR", str(MEDIA_ROOT / ".numba"))

DEEPFAKE_DEVICE = env.choice("DEEPFAKE_DEVICE", "auto", ("auto", "cpu", "cuda"))
DEEPFAKE_THREADS = env.integer("DEEPFAKE_THREADS", 0, 0, 256)  # 0: one per core
DEEPFAKE_MAX_UPLOAD_MB = env.integer("DEEPFAKE_MAX_UPLOAD_MB", 4096, 1, 1_000_000)
DEEPFAKE_MAX_DURATION_S = env.integer("DEEPFAKE_MAX_DURATION_S", 4 * 3600, 1, 7 * 24 * 3600)
DEEPFAKE_RUN_TIMEOUT_S = env.integer("DEEPFAKE_RUN_TIMEOUT_S", 3600, 10, 7 * 24 * 3600)
DEEPFAKE_KEEP_PARTIAL_DAYS = env.integer("DEEPFAKE_KEEP_PARTIAL_DAYS", 7, 1, 3650)  # uploads that broke off
DEEPFAKE_KEEP_DELETED_DAYS = env.integer("DEEPFAKE_KEEP_DELETED_DAYS", 30, 1, 3650)  # how long the trash is kept
DEEPFAKE_KEEP_DAYS = env.integer("DEEPFAKE_KEEP_DAYS", 0, 0, 36_500)  # finished runs, unused uploads; 0: for ever
DEEPFAKE_MAX_MEMORY_MB = env.integer("DEEPFAKE_MAX_MEMORY_MB", 4096, 1024, 1_000_000)
DEEPFAKE_MIN_FREE_MB = env.integer("DEEPFAKE_MIN_FREE_MB", 512, 0, 1_000_000)  # of the disk, kept for results
DEEPFAKE_START_WORKER = env.boolean("DEEPFAKE_START_WORKER", True)
DEEPFAKE_QUEUE = env.queue("DEEPFAKE_QUEUE")  # "files", or where Redis is: docs/DEPLOY.md

# Access, where other machines can reach the site: docs/DEPLOY.md.
DEEPFAKE_PASSPHRASE_HASH = env.text("DEEPFAKE_PASSPHRASE_HASH", "")
DEEPFAKE_TLS_PROXY = env.boolean("DEEPFAKE_TLS_PROXY", False)  # browsers come by https, through a proxy of ours
DEEPFAKE_QUOTA_MB = env.integer("DEEPFAKE_QUOTA_MB", 0, 0, 1_000_000_000)  # of all uploads together; 0: the disk's
DEEPFAKE_QUOTA_MB_PER_DAY = env.integer("DEEPFAKE_QUOTA_MB_PER_DAY", 0, 0, 1_000_000_000)

# Relighting elsewhere: a service on another machine, or the user's own ReliTalk checkout and its interpreter.
RELITALK_URL = env.text("RELITALK_URL", "")
RELITALK_TOKEN = env.text("RELITALK_TOKEN", "")
RELITALK_ROOT = env.text("RELITALK_ROOT", "")
RELITALK_PYTHON = env.text("RELITALK_PYTHON", "")


def _secret_key() -> str:
    """The key from the environment, or one made on the first start and kept under media/ for its owner's eyes alone."""
    given = env.text("DEEPFAKE_SECRET_KEY", "")
    if given:
        return given
    path = MEDIA_ROOT / ".secret_key"
    try:
        MEDIA_ROOT.mkdir(parents=True, exist_ok=True)
        with locked(MEDIA_ROOT / ".lock"):  # server and worker start at the same time
            path.touch(mode=0o600)
            if not path.read_text():
                path.write_text(secrets.token_urlsafe(50))
            return path.read_text()
    except OSError:
        return secrets.token_urlsafe(50)  # media/ cannot be used: `manage.py check` says so, with the way out


def _incoming_folder() -> Path | None:
    """Where files of forms grow: beside the finished ones, because the system's folder for such is often small."""
    path = MEDIA_ROOT / "uploads" / ".incoming"
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None  # `manage.py check` says so
    return path


SECRET_KEY = _secret_key()

INSTALLED_APPS = [
    "detection",  # before staticfiles, whose runserver it replaces
    "django.contrib.staticfiles",
    "django.contrib.messages",
    "django_tasks",
    "detection.jobs",
    "detection.web",
    *(f"detection.{key}" for key in MODULES),
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "detection.web.middleware.browser_permissions",
    "detection.web.middleware.NamedInLogs",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "detection.web.access.middleware.access",
    "detection.web.cross_site.CrossSiteMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "detection.web.middleware.refusals_in_json",
    "detection.web.middleware.DiskFaults",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "deepfake_site.urls"
WSGI_APPLICATION = "deepfake_site.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Rows of the history that were drawn already, in each server process: about 1.5 KB each.
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 5000}},
}
DATABASES: dict[str, object] = {}  # records are JSON files: see detection/records
MESSAGE_STORAGE = "django.contrib.messages.storage.cookie.CookieStorage"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_HANDLERS = ["detection.web.receive.LimitedUploadHandler"]
FILE_UPLOAD_TEMP_DIR = _incoming_folder()

if DEEPFAKE_QUEUE == "files":
    TASKS = {"default": {"BACKEND": "detection.jobs.backend.EmbeddedBackend", "QUEUES": []}}
else:
    INSTALLED_APPS.append("django_rq")
    TASKS = {"default": {"BACKEND": "detection.jobs.redis_queue.RedisBackend", "QUEUES": []}}
    # JSON, not RQ's pickle: who can write to Redis must not be able to run code here. -1: the watchdog keeps the time.
    RQ_QUEUES = {"default": {"URL": DEEPFAKE_QUEUE, "SERIALIZER": "json", "DEFAULT_TIMEOUT": -1}}

LANGUAGE_CODE = env.choice("DEEPFAKE_LANGUAGE", "en", ("en", "zh-hans"))
LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = env.text("DEEPFAKE_TIME_ZONE", "UTC")

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True

SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"  # no database; it holds one fingerprint
SESSION_COOKIE_AGE = 7 * 24 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"  # a link from elsewhere may lead to a page; CSRF's token guards what changes something
CSRF_COOKIE_HTTPONLY = False  # the page's own script sends the token with its uploads
CSRF_COOKIE_SAMESITE = "Strict"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
CSRF_FAILURE_VIEW = "detection.web.errors.csrf_failure"
LANGUAGE_COOKIE_SAMESITE = "Strict"
SECURE_REFERRER_POLICY = "same-origin"
# Behind a TLS proxy: the proxy's word on the scheme counts, and everything goes by https alone.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if DEEPFAKE_TLS_PROXY else None
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = DEEPFAKE_TLS_PROXY
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked on this machine, past the proxy
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if DEEPFAKE_TLS_PROXY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = DEEPFAKE_TLS_PROXY
SILENCED_SYSTEM_CHECKS = [
    "security.W003",  # the token is checked by CrossSiteMiddleware, which is Django's middleware with one more rule
    "security.W021",  # to be preloaded is for the owner of the whole domain to decide
]
# No inline script or style, and nothing from another machine: the site must work, and keep a person's videos, offline.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:", "blob:"],  # data: is Bootstrap's icons, blob: the preview of a file not yet sent
        "media-src": [SELF, "blob:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}

LOGGING = logs.configuration(
    env.choice("DEEPFAKE_LOG_FORMAT", "line", ("line", "json")),
    env.choice("DEEPFAKE_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
)
