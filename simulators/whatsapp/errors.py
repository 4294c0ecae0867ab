"""Graph's errors, with the codes, titles and HTTP statuses of Meta's page "Error codes"."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar, Final

from core.errors import SmartTalkerError

TITLES: Final[dict[int, tuple[str, int]]] = {
    1: ("An unknown error occurred", 400),
    100: ("Invalid parameter", 400),
    101: ("Error validating application", 400),
    190: ("Invalid OAuth access token - Cannot parse access token", 401),
    368: ("Temporarily blocked for policies violations", 403),
    2200: ("Callback verification failed", 400),
    2500: ("Unknown path components", 400),
    80007: ("Rate limit issues", 429),
    130429: ("Rate limit hit", 429),
    131000: ("Something went wrong", 500),
    131008: ("Required parameter is missing", 400),
    131009: ("Parameter value is not valid", 400),
    131016: ("Service unavailable", 500),
    131021: ("Recipient cannot be sender", 400),
    131026: ("Message undeliverable", 400),
    131031: ("Business Account locked", 403),
    131047: ("Re-engagement message", 400),
    131048: ("Spam rate limit hit", 429),
    131051: ("Unsupported message type", 400),
    131052: ("Media download error", 400),
    131053: ("Media upload error", 400),
    131056: ("(Business Account, Consumer Account) pair rate limit hit", 429),
    132001: ("Template name does not exist in the translation", 404),
}
REPORTED_LATER: Final = frozenset({131026, 131047, 131053})
"""The request is accepted; a status webhook says that the message failed."""
DETAILS: Final[dict[int, str]] = {
    130429: "Message failed to send because there were too many messages sent from this phone number in a short "
    "period of time",
    131000: "Message failed to send because of an unknown error",
    131016: "A service is temporarily unavailable",
    131026: "Message undeliverable",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number",
    131053: "Media upload error",
    131056: "Message failed to send because there were too many messages sent from this phone number to the same "
    "phone number in a short period of time",
}
HREF: Final = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"


class GraphError(SmartTalkerError):
    """The simulated platform refused a request. `details` says why; `message` stands in place of the code's title.
    deliberate: a fault or a rate asked for it, the request itself was right."""

    code: ClassVar[str] = "graph_error"

    def __init__(
        self,
        number: int,
        details: str = "",
        *,
        message: str | None = None,
        subcode: int | None = None,
        kind: str = "OAuthException",
        status: int | None = None,
        deliberate: bool = False,
    ) -> None:
        self.number = number
        self.details = details or DETAILS.get(number, "")
        self.title, default = TITLES.get(number, ("Unknown error", 400))
        self.text = message or f"(#{number}) {self.title}"
        self.http_status = status or default
        self.subcode, self.kind, self.deliberate = subcode, kind, deliberate
        super().__init__(f"{self.text}: {self.details}" if self.details else self.text)

    def body(self) -> dict[str, Any]:
        """The body of the answer."""
        error: dict[str, Any] = {"message": self.text, "type": self.kind, "code": self.number}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.details:
            error["error_data"] = {"messaging_product": "whatsapp", "details": self.details}
        return {"error": {**error, "fbtrace_id": "A" + secrets.token_urlsafe(16)[:22]}}

    def in_status(self) -> dict[str, Any]:
        """The error object of a `failed` status."""
        return {
            "code": self.number,
            "title": self.title,
            "message": self.title,
            "error_data": {"details": self.details or self.title},
            "href": HREF,
        }


def invalid(message: str) -> GraphError:
    """(#100): a parameter of the request itself."""
    return GraphError(100, message=f"(#100) {message}")


def no_object(id: str, method: str) -> GraphError:
    """(#100/33): what Graph says of every id that is unknown, expired or somebody else's."""
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{id}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation"
    )
    return GraphError(100, message=message, subcode=33, kind="GraphMethodException")
