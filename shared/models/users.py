"""Who may sign in, their sessions, and the attempts that limit guessing."""

from typing import Annotated

from sqlalchemy import CheckConstraint, Enum, ForeignKey, Index, LargeBinary, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Mapped, mapped_column

from shared.db.base import Base, CreatedAt, Id, Instant, choice
from shared.domain.permissions import Role
from shared.domain.user import Theme

Roles = Annotated[
    list[Role],
    mapped_column(
        ARRAY(Enum(Role, native_enum=False, length=32, values_callable=lambda roles: [role.value for role in roles])),
    ),
]
ALL_ROLES = ", ".join(f"'{role.value}'" for role in Role)


class User(Base):
    """A person who signs in. Never deleted once he has done something: disabled."""

    __tablename__ = "users"
    __table_args__ = (
        CheckConstraint("username = btrim(username) AND username <> ''", name="username_is_tidy"),
        CheckConstraint(f"roles::text[] <@ ARRAY[{ALL_ROLES}] AND cardinality(roles) > 0", name="roles_are_known"),
        CheckConstraint("last_active_role::text = ANY (roles::text[])", name="last_active_role_is_own"),
        Index("uq_users_username", text("lower(username)"), unique=True),
    )

    id: Mapped[Id]
    username: Mapped[str]
    display_name: Mapped[str] = mapped_column(server_default="")
    password_hash: Mapped[str | None]  # None: signs in elsewhere, or not at all
    roles: Mapped[Roles]
    last_active_role: Mapped[Role] = mapped_column(choice(Role, "last_active_role"))
    theme: Mapped[Theme] = mapped_column(choice(Theme, "theme"), server_default=Theme.AUTO.value)
    disabled_at: Mapped[Instant | None]
    created_at: Mapped[CreatedAt]


class WebSession(Base):
    """A signed-in browser. The row holds the hash of its cookie: reading the table signs nobody in."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index("ix_web_sessions_user_id", "user_id"), Index("ix_web_sessions_expires_at", "expires_at"))

    id: Mapped[Id]
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    active_role: Mapped[Role] = mapped_column(choice(Role, "active_role"))
    csrf_secret: Mapped[str]
    address: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]
    last_seen_at: Mapped[Instant]
    expires_at: Mapped[Instant]


class LoginAttempt(Base):
    """One attempt to sign in. The name is hashed, because people type passwords into the wrong field."""

    __tablename__ = "login_attempts"
    __table_args__ = (
        Index("ix_login_attempts_name_hash_at", "name_hash", "at"),
        Index("ix_login_attempts_address_at", "address", "at"),
        Index("ix_login_attempts_at", "at"),
    )

    id: Mapped[Id]
    name_hash: Mapped[bytes] = mapped_column(LargeBinary)
    address: Mapped[str]
    at: Mapped[Instant]
    succeeded: Mapped[bool] = mapped_column(server_default=text("false"))
