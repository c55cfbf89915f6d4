"""Keeps the certificates by which a server is verified, and says why one is not: the LDAP library does not tell."""

import hashlib
import os
import socket
import ssl
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from django.conf import settings

PATIENCE: Final = 5.0
PORTS: Final = {"ldap": 389, "ldaps": 636}
START_TLS: Final = bytes.fromhex("301d02010177188016") + b"1.3.6.1.4.1.1466.20037"
"""An extended request in BER (RFC 4511 §4.14.1), as message 1."""


def why_not_trusted(url: str, *, ca: str) -> str | None:
    """Return why TLS with a server fails, in words; None if it does not fail, or if nobody answers at all."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    context = ssl.create_default_context(cadata=ca or None)
    try:
        connection = socket.create_connection((host, port), timeout=PATIENCE)
    except OSError:
        return None
    with connection:
        try:
            if parts.scheme == "ldap":
                connection.sendall(START_TLS)
                if not connection.recv(512):
                    return f"{url} does not speak StartTLS"
            with context.wrap_socket(connection, server_hostname=host):
                return None
        except ssl.SSLCertVerificationError as error:
            return f"the certificate of {url} is not trusted: {error.verify_message}"
        except ssl.SSLError as error:
            return f"{url} does not speak TLS as it should: {error.reason or error}"
        except OSError:
            return f"{url} hung up during the beginning of TLS"


def kept_file(pem: str) -> Path:
    """Return a file with these certificates, for libldap takes nothing else; it is written again if it is not there.

    Ours alone, and beside the database: a file that others may write or take away would decide who is believed.
    """
    folder = Path(settings.DATA_DIR) / "ldap-ca"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{hashlib.sha256(pem.encode()).hexdigest()}.pem"
    if not path.is_file() or path.read_text() != pem:
        # Only its owner may read what mkstemp makes; it takes its place whole or not at all.
        handle, temporary = tempfile.mkstemp(dir=folder)
        with os.fdopen(handle, "w") as file:
            file.write(pem)
        Path(temporary).replace(path)
    return path
