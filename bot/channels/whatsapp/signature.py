"""Whether a webhook is Meta's: HMAC-SHA256 of the body as it came, with the app's secret as key."""

from __future__ import annotations

import hashlib
import hmac
import re

HEADER = "X-Hub-Signature-256"
_FORM = re.compile(r"sha256=([0-9a-fA-F]{64})")


def claimed(header: str | None) -> str | None:
    """The digest that a header claims, in lower case; None where it has not the form of one."""
    found = _FORM.fullmatch(header or "")
    return found[1].lower() if found else None


def holds(claim: str, body: bytes, secret: str) -> bool:
    """body: the raw bytes; Meta escapes characters, so that JSON written again is signed otherwise."""
    expected = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, claim)


def same(given: str, expected: str) -> bool:
    """Compares in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())
