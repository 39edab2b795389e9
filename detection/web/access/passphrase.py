"""The passphrase: only its hash is known here (DEEPFAKE_PASSPHRASE_HASH), made by `manage.py passphrase`."""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.contrib.auth.hashers import check_password, identify_hasher, make_password

MIN_LENGTH = 12
ALGORITHM = "scrypt"


def hash_of(passphrase: str) -> str:
    """As Django writes hashes, with `:` in place of `$`, which shells, systemd and compose files each take for their
    own. Raises ValueError for one that is too short."""
    if len(passphrase) < MIN_LENGTH:
        raise ValueError(f"A passphrase has at least {MIN_LENGTH} characters; four or five words make a good one.")
    return make_password(passphrase, hasher=ALGORITHM).replace("$", ":")


def is_hash(text: str) -> bool:
    try:
        identify_hasher(text.replace(":", "$"))
    except ValueError:
        return False
    return True


def is_right(passphrase: str) -> bool:
    return check_password(passphrase, settings.DEEPFAKE_PASSPHRASE_HASH.replace(":", "$"))


def fingerprint() -> str:
    """What a session carries of it: when the passphrase changes, all sessions end."""
    return hashlib.sha256(settings.DEEPFAKE_PASSPHRASE_HASH.encode()).hexdigest()
