"""What does this word of the export mean?

Statuses and channels in the dialects of several helpdesks, in canonical words. An unknown status is refused with its count,
because a wrong one moves every number; an unknown channel is `other`, its own word stays in `channel_raw`.
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

STATUS_WORDS = {
    **dict.fromkeys(("new", "neu", "created", "submitted", "to do", "logged"), "new"),
    **dict.fromkeys(
        ("open", "opened", "offen", "active", "in progress", "work in progress", "assigned", "reopened", "re-opened", "escalated"), "open"
    ),
    **dict.fromkeys(("in bearbeitung", "ouvert", "abierto", "working", "waiting for support", "waiting on us", "customer responded"), "open"),
    **dict.fromkeys(("pending", "waiting on customer", "waiting for customer", "waiting on contact", "awaiting user info"), "pending"),
    **dict.fromkeys(("awaiting caller", "awaiting customer", "awaiting user", "wartend", "snoozed", "awaiting requester"), "pending"),
    **dict.fromkeys(("hold", "on hold", "on-hold", "waiting on third party", "awaiting vendor", "awaiting problem", "awaiting evidence"), "hold"),
    **dict.fromkeys(("awaiting change", "awaiting approval", "paused"), "hold"),
    **dict.fromkeys(("solved", "resolved", "gelöst", "done", "fixed", "complete", "completed", "résolu", "resuelto"), "solved"),
    **dict.fromkeys(("closed", "geschlossen", "cancelled", "canceled", "merged", "fermé", "cerrado", "archived"), "closed"),
}
CHANNEL_WORDS = {
    **dict.fromkeys(("email", "e-mail", "mail", "email-to-case", "inbound email"), "email"),
    **dict.fromkeys(("web", "portal", "web form", "webform", "form", "self-service", "self service", "widget", "website", "help center"), "web"),
    **dict.fromkeys(("chat", "live chat", "live-chat", "livechat", "virtual agent", "virtual_agent", "web chat"), "chat"),
    **dict.fromkeys(("messaging", "whatsapp", "sms", "messenger", "telegram", "text message", "imessage", "line", "viber"), "messaging"),
    **dict.fromkeys(("phone", "telephone", "call", "voice", "telefon", "phone call", "voicemail", "téléphone", "teléfono", "inbound call"), "phone"),
    **dict.fromkeys(("social", "twitter", "x", "facebook", "instagram", "social media", "youtube"), "social"),
    **dict.fromkeys(("in app", "in-app", "in_app", "mobile", "app", "mobile app", "mobile sdk"), "in_app"),
    **dict.fromkeys(("api", "integration", "event", "monitoring", "alert"), "api"),
    **dict.fromkeys(("other", "walk-in", "walk in", "in person", "direct input", "andere", "sonstige"), "other"),
}
YES_WORDS = ("true", "t", "yes", "y", "1", "1.0", "x", "ja", "oui", "sí", "si", "wahr")
NO_WORDS = ("false", "f", "no", "n", "0", "0.0", "nein", "non", "falsch")


def meaning(column: str, *, words: Mapping[str, str]) -> pl.Expr:
    """The canonical word for each value, upper and lower case alike; null where the word is not known.

    Examples
    --------
    >>> frame = pl.DataFrame({"state": ["Resolved", "On Hold", "Sleeping"]})
    >>> frame.select(meaning("state", words=STATUS_WORDS))["state"].to_list()
    ['solved', 'hold', None]
    """
    folded = {word.strip().lower(): canonical for word, canonical in words.items()}
    return pl.col(column).str.strip_chars().str.to_lowercase().replace_strict(folded, default=None, return_dtype=pl.String)


def unknown(frame: pl.DataFrame, column: str, *, words: Mapping[str, str]) -> list[str]:
    """Words of the column that have no meaning yet, each with its count, the most frequent first.

    Examples
    --------
    >>> unknown(pl.DataFrame({"state": ["Sleeping", "New", "Sleeping"]}), "state", words=STATUS_WORDS)
    ["'Sleeping' (2)"]
    """
    strange = frame.filter(pl.col(column).is_not_null() & meaning(column, words=words).is_null())
    counts = strange.group_by(column).len().sort("len", column, descending=[True, False])
    return [f"'{word}' ({count:,})" for word, count in counts.iter_rows()]
