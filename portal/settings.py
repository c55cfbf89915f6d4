"""Every setting, once, each with the reason why you would change it."""

import secrets
from pathlib import Path

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse_lazy

from portal.env import choice, flag, integer, seconds, secret, text, words

BASE_DIR = Path(__file__).resolve().parent.parent

PORTAL_MODE = choice("PORTAL_MODE", default="production", among=("production", "local"))
"""`production` refuses to start with an unsafe setting; `local` makes what is missing and serves loopback only.

`make run` sets it to `local`. Never set it to `local` on a machine that others can reach.
"""

LOCAL = PORTAL_MODE == "local"

DATA_DIR = Path(text("DATA_DIR", default=str(BASE_DIR / "data")))
"""Where the SQLite database, the decision spools and a local secret key are kept.

Change it to put them on a disk that is backed up. Every process of one installation must see the same folder,
or have a spool folder of its own that a sequencer drains.
"""

DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)  # it holds password hashes and the book


def _local_secret_key() -> str:
    """Return the key kept in DATA_DIR, made on first use, so that sessions survive a restart."""
    path = DATA_DIR / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48), encoding="utf-8")
    return path.read_text(encoding="utf-8").strip()


SECRET_KEY_TEXT = secret("SECRET_KEY") or (_local_secret_key() if LOCAL else "")
SECRET_KEY = SECRET_KEY_TEXT or secrets.token_urlsafe(48)  # without one, portal.checks refuses to start
"""Signs login addresses and cookies. Set it (or SECRET_KEY_FILE) to 50 or more random characters, the same everywhere.

Changing it ends every login that is under way.
"""

DEBUG = flag("DEBUG", default=False)
"""Shows tracebacks to the browser. Only for developing Gatehouse itself; production refuses to start with it."""

PORTAL_URL = text("PORTAL_URL", default="http://127.0.0.1:8000" if LOCAL else "").rstrip("/")
"""The address under which people reach the portal, such as https://portal.example.com.

Every absolute address the portal writes begins with it; it is never taken from a request.
"""

ALLOWED_HOSTS = words("ALLOWED_HOSTS", default="127.0.0.1,localhost,[::1]" if LOCAL else "")
"""Names under which the web UI answers. Add the portal's public name."""

CSRF_TRUSTED_ORIGINS = [PORTAL_URL] if PORTAL_URL else []

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "portal.apps.AdministrationConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "portal",
    "audit",
    "authz",
]

ROOT_URLCONF = "portal.urls"
ASGI_APPLICATION = "portal.asgi.application"
CELERY_APPLICATION = "portal.celery.app"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en"

DATABASE_URL = secret("DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'gatehouse.sqlite3'}")
"""The database. Unset means SQLite in DATA_DIR; postgresql://user:password@host/name moves to PostgreSQL."""

# No connection outlives its request: under ASGI each request runs in a thread of its own, where a kept one would never
# be used again and never be closed. The threads that keep the World current hold theirs themselves.
DATABASES = {"default": dj_database_url.parse(DATABASE_URL, conn_max_age=0)}
if DATABASES["default"]["ENGINE"].rpartition(".")[2] not in {"sqlite3", "postgresql"}:
    message = "DATABASE_URL is neither SQLite nor PostgreSQL; it begins with sqlite:/// or postgresql://"
    raise ImproperlyConfigured(message)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # WAL lets readers run beside the writer; IMMEDIATE takes the write lock first, so that no transaction
    # fails half way with "database is locked".
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=10000;"
        " PRAGMA cache_size=-20000; PRAGMA journal_size_limit=67108864;",
    }
else:
    # A database that hangs must become one that fails: a check can be answered without it, a wait cannot.
    DATABASES["default"].setdefault("OPTIONS", {}).update(
        {
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 15_000,
        }
    )

AUTH_USER_MODEL = "authz.User"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    # Django's own sessions carry messages between two pages of the administration, signed and in the browser;
    # who is signed in is ours to know (authz.pages.middleware).
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "authz.pages.middleware.SignedIn",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
AUTHENTICATION_BACKENDS = ["authz.admin.backend.Decisions"]
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "gatehouse_messages"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
LOGIN_URL = "/login"
STATIC_URL = "static/"
WHITENOISE_USE_FINDERS = True
X_FRAME_OPTIONS = "DENY"

COOKIE_SECURE = flag("COOKIE_SECURE", default=not LOCAL)
"""Whether cookies travel over HTTPS alone. Production refuses to start without it."""

SESSION_COOKIE_SECURE = COOKIE_SECURE
CSRF_COOKIE_SECURE = COOKIE_SECURE
CSRF_COOKIE_HTTPONLY = True
SECURE_HSTS_SECONDS = 31_536_000 if COOKIE_SECURE else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if flag("BEHIND_TLS_PROXY", default=False) else None

BEHIND_TLS_PROXY = SECURE_PROXY_SSL_HEADER is not None
"""Whether the proxy in front of the portal's own pages ends TLS and sets X-Forwarded-Proto on every request.

Set it only when no client can reach the portal past that proxy.
"""

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        # The administration's own scripts (Alpine.js in django-unfold) evaluate expressions written in its templates.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    }
}

AUTHZ_COOKIE_DOMAIN = text("AUTHZ_COOKIE_DOMAIN")
"""The domain that the portal and the applications behind the proxy share, such as example.com.

Unset, the session cookie goes to the portal's own host alone, which is enough when applications live on it too. A
domain that a browser would not honour for the portal's host stops the start.
"""

AUTHZ_COOKIE_NAME = (
    ("__Secure-gatehouse" if AUTHZ_COOKIE_DOMAIN else "__Host-gatehouse") if COOKIE_SECURE else "gatehouse"
)

AUTHZ_SESSION_LIFETIME = seconds("AUTHZ_SESSION_LIFETIME", default=12 * 3600)
"""How long a sign-in lasts, however busy it is. Shorter means that people type their password more often."""

AUTHZ_SESSION_IDLE = seconds("AUTHZ_SESSION_IDLE", default=2 * 3600)
"""How long a sign-in lasts without a request. Shorter protects a machine that was left alone."""

AUTHZ_POLL_INTERVAL_MS = integer("AUTHZ_POLL_INTERVAL_MS", default=100, least=10)
"""How often each process looks for changes, in milliseconds: the longest that a revocation can take to be seen.

One tiny query each time; raise it only if very many processes share one database.
"""

AUTHZ_STALENESS_LIMIT = seconds("AUTHZ_STALENESS_LIMIT", default=60)
"""How long checks are still answered when the database cannot be reached; after that everything is denied.

Longer rides out a database restart; shorter bounds how long a revocation can stay unseen meanwhile.
"""

AUTHZ_CHANGE_LOG_KEPT = integer("AUTHZ_CHANGE_LOG_KEPT", default=100_000, least=1000)
"""How many changes are kept for processes that fall behind. One that is further behind rebuilds everything."""

AUTHZ_IDENTITY_HEADERS = words("AUTHZ_IDENTITY_HEADERS", default="x-user")
"""Which families of identity headers an answer carries: x-user, remote, x-auth-request.

Add remote or x-auth-request for applications that were written for other forward-auth products.
"""

AUTHZ_GROUPS_HEADER_LIMIT = integer("AUTHZ_GROUPS_HEADER_LIMIT", default=2048, least=100)
"""How many bytes of group names an answer carries; what is left out is said in X-User-Groups-Truncated.

Proxies limit a reply's headers (nginx: 4 KB unless proxy_buffer_size is raised).
"""

AUTHZ_ASSERTION_KEY = secret("AUTHZ_ASSERTION_KEY")
"""A private key in PEM form (Ed25519, or EC P-256); set, each allowed answer carries a signed X-Auth-Assertion.

An application that checks it need not trust the network between the proxy and itself.
"""

AUTHZ_KEYS_MAX_AGE = seconds("AUTHZ_KEYS_MAX_AGE", default=86_400, least=3600)
"""For how long the keys of an issuer or provider are good that could not be fetched again since.

They are fetched again every hour. Shorter means that a key which was withdrawn meanwhile is good for less time if its
server cannot be reached; longer, that an outage of that server locks out nobody.
"""

AUTHZ_ASSERTION_LIFETIME = seconds("AUTHZ_ASSERTION_LIFETIME", default=60)
"""How long a signed assertion is good for."""

AUTHZ_SOCKET_MAX_LIFETIME = seconds("AUTHZ_SOCKET_MAX_LIFETIME", default=8 * 3600)
"""How long a live connection may last, however busy it is, where its server says nothing else.

Shorter means that clients come back more often, and that each of them was asked who they are more lately.
"""

AUTHZ_SOCKET_NOTICE = seconds("AUTHZ_SOCKET_NOTICE", default=60)
"""How long before its end a connection is told of it, so that the client can open the next one first."""

AUTHZ_SOCKET_ORIGINS = words("AUTHZ_SOCKET_ORIGINS")
"""Origins (https://chat.example.com) whose pages may open WebSockets to servers with a session cookie.

The portal's own may as well. A browser sends the cookie whatever page asks; the Origin is what tells a page of yours
from a stranger's. Pages of these origins have no say at /ws/rpc.
"""

AUTHZ_SOCKET_RPC_ORIGINS = words("AUTHZ_SOCKET_RPC_ORIGINS")
"""Origins whose pages may speak JSON-RPC at /ws/rpc with a session cookie, beside the portal's own.

Whoever looks at such a page lets it ask who they are, what they may and which groups they are in. The audit log is read
from the portal's own pages alone.
"""

AUTHZ_SOCKET_MOST = integer("AUTHZ_SOCKET_MOST", default=10_000, least=1)
"""How many live connections one process holds."""

AUTHZ_SOCKET_MOST_PER_PERSON = integer("AUTHZ_SOCKET_MOST_PER_PERSON", default=100, least=1)
"""How many of them one person or service account may have."""

AUTHZ_SOCKET_MOST_PER_ADDRESS = integer("AUTHZ_SOCKET_MOST_PER_ADDRESS", default=1000, least=1)
"""How many of them may come from one address; an office or a mobile network may share one."""

AUTHZ_SOCKET_HANDSHAKES_PER_MINUTE = integer("AUTHZ_SOCKET_HANDSHAKES_PER_MINUTE", default=600, least=1)
"""How many connections one address may try to open in a minute, and as many at once."""

AUTHZ_SOCKET_MESSAGES_PER_SECOND = integer("AUTHZ_SOCKET_MESSAGES_PER_SECOND", default=200, least=1)
"""How many messages a client of the JSON-RPC interface may send in a second, and ten times as many at once."""

AUTHZ_SOCKET_LARGEST_MESSAGE = integer("AUTHZ_SOCKET_LARGEST_MESSAGE", default=1024**2, least=1024)
"""How many bytes one message may have, in either direction; it bounds what a connection can take of our memory."""

AUTHZ_TICKET_LIFETIME = seconds("AUTHZ_TICKET_LIFETIME", default=30)
"""How long a ticket for a WebSocket waits to be used."""

AUTHZ_RELAY_SECRET = secret("AUTHZ_RELAY_SECRET")
"""What the relay shows an application in X-Proxy-Secret, so that it believes the identity headers from us alone."""

AUTHZ_TCP_TLS_CERT = text("AUTHZ_TCP_TLS_CERT")
"""The file with the certificate, in PEM form, by which `manage.py serve_tcp` encrypts what it serves."""

AUTHZ_TCP_TLS_KEY = text("AUTHZ_TCP_TLS_KEY")
"""The file with its private key, unless that is in the same one."""

REDIS_URL = text("REDIS_URL")
"""A Redis by which several processes tell one another of changes at once; without it they look often enough."""

CHANNEL_LAYERS = (
    {"default": {"BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer", "CONFIG": {"hosts": [REDIS_URL]}}}
    if REDIS_URL
    else {}
)

AUTHZ_SIGN_IN_ATTEMPTS = integer("AUTHZ_SIGN_IN_ATTEMPTS", default=10, least=3)
"""Wrong passwords for one account from one address, within the window, before that must wait.

Five times as many make the account wait whatever the address, and the address whatever the account.
"""

AUTHZ_SIGN_INS_AT_ONCE = integer("AUTHZ_SIGN_INS_AT_ONCE", default=4, least=1)
"""How many passwords one process checks at the same time; each takes some 100 MB while it is checked.

Thirty-two times as many wait for their turn, without a connection to the database; more are told to come back (503).
"""

AUTHZ_SIGN_IN_WINDOW = seconds("AUTHZ_SIGN_IN_WINDOW", default=15 * 60)
"""How long a wrong password counts."""

AUDIT_SPOOL_DIR = Path(text("AUDIT_SPOOL_DIR", default=str(DATA_DIR / "spool")))
"""Where each process appends its decisions until they are in the book. A fast local disk."""

AUDIT_SPOOL_LIMIT = integer("AUDIT_SPOOL_LIMIT", default=8 * 1024**3, least=1024**2)
"""How many bytes of decisions may wait there; beyond that every answer is a denial."""

AUDIT_SPOOL_ROTATE = integer("AUDIT_SPOOL_ROTATE", default=64 * 1024**2, least=64 * 1024)
"""How many bytes one spool file holds before the next is begun; a drained file is deleted whole."""

UNFOLD = {
    "SITE_TITLE": "Gatehouse",
    "SITE_HEADER": "Gatehouse",
    "SITE_SUBHEADER": "Who may reach what",
    "SITE_SYMBOL": "key_vertical",
    "SITE_URL": "/",
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SIDEBAR": {
        "navigation": [
            {
                "title": title,
                "separator": True,
                "items": [
                    {"title": name, "icon": icon, "link": reverse_lazy(f"admin:{page}_changelist")}
                    for name, icon, page in items
                ],
            }
            for title, items in (
                (
                    "Who",
                    (
                        ("People", "person", "authz_user"),
                        ("Groups", "groups", "authz_group"),
                        ("Memberships", "group_add", "authz_membership"),
                    ),
                ),
                ("May reach what", (("Servers", "dns", "authz_server"), ("Grants", "lock_open", "authz_grant"))),
                (
                    "Come from",
                    (("Directories", "domain", "authz_source"), ("Runs", "sync", "authz_run")),
                ),
                (
                    "By which proof",
                    (
                        ("API keys", "key", "authz_apikey"),
                        ("Sessions", "devices", "authz_session"),
                        ("Connections", "cable", "authz_connection"),
                    ),
                ),
                (
                    "Trusted",
                    (("Issuers", "verified", "authz_issuer"), ("Proxies", "security", "authz_proxy")),
                ),
                ("Recorded", (("The book", "menu_book", "audit_entry"),)),
            )
        ]
    },
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "portal.logging.OneLine"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {  # every ten seconds a look at what is due would be three lines
        "celery": {"level": "WARNING"},
        "kombu": {"level": "ERROR"},
    },
    "root": {"handlers": ["stderr"], "level": text("LOG_LEVEL", default="INFO").upper()},
}

LOG_LEVEL = text("LOG_LEVEL", default="INFO").upper()
"""How much is logged: DEBUG, INFO, WARNING or ERROR."""
