"""Tables of people and of how they are signed in."""

import sqlalchemy as sa

from patchwindow.store.columns import number, owned_by, table, text

person = table(
    "person",
    text("name", key=True),
    text("role"),
    text("password_hash"),
    number("is_enabled"),
    number("created_at_ms"),
)

console_session = table(
    "console_session",
    text("token_digest", key=True),
    text("person", owned_by("person.name")),
    number("opened_at_ms"),
    number("seen_at_ms"),
    sa.Index("console_session_by_person", "person"),
)

sign_in_link = table(
    "sign_in_link",
    text("secret_digest", key=True),
    text("person", owned_by("person.name")),
    number("ends_at_ms"),
)
