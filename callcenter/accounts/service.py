"""Keep users and the audit trail."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sqlmodel import Session, select

from callcenter.accounts.queries import MIN_PASSWORD, hasher, password_matches
from callcenter.domain.enums import Role
from callcenter.domain.ids import derived_id
from callcenter.errors import BadInput
from callcenter.models import AuditEntry, User

LANGUAGES = ("en", "zh")
THEMES = ("auto", "light", "dark")


def add_user(
    session: Session,
    login: str,
    name: str,
    role: Role,
    password: str,
    now: datetime,
    time_zone: str = "UTC",
    telephone: str | None = None,
) -> User:
    """Add a user, or change the name, role and password of the one with this login.

    `telephone`: where a supervisor who listens in is called; without one, in their browser.

    Raises BadInput when the password is shorter than 10 characters or the login is empty.
    """
    login = login.strip().lower()
    if not login or len(password) < MIN_PASSWORD:
        raise BadInput(f"Give a login and a password of at least {MIN_PASSWORD} characters.")
    user = session.exec(select(User).where(User.login == login)).first()
    if user is None:
        user = User(
            id=derived_id("user", login),
            login=login,
            name=name,
            role=role,
            password_hash="",
            created_at=now,
            time_zone=time_zone,
        )
    user.name, user.role, user.is_active = name, role, True
    user.telephone = telephone or user.telephone
    if not user.password_hash or not password_matches(user.password_hash, password):
        user.password_hash = hasher.hash(password)
    session.add(user)
    session.flush()
    return user


def user_of(session: Session, login: str) -> User | None:
    """Return who signs in with this login."""
    return session.exec(select(User).where(User.login == login.strip().lower())).first()


def checked_zone(name: str) -> str:
    """Return the IANA zone of this name. Raises BadInput when there is none."""
    try:
        return ZoneInfo(name.strip()).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput("Give the time zone by its IANA name, such as Asia/Shanghai.") from None


def change_user(
    user: User, *, name: str, role: Role, password: str, telephone: str | None, time_zone: str
) -> None:
    """Change a locked user; an empty password keeps the one they have. Raises BadInput for a short one."""
    if password and len(password) < MIN_PASSWORD:
        raise BadInput(f"Give a login and a password of at least {MIN_PASSWORD} characters.")
    user.name, user.role, user.telephone, user.time_zone = name, role, telephone, time_zone
    if password:
        user.password_hash = hasher.hash(password)


def set_preferences(user: User, *, theme: str | None, language: str | None) -> None:
    """Change how the screens look to a user. Raises BadInput for a theme or language there is not."""
    if theme is not None:
        if theme not in THEMES:
            raise BadInput(f"Theme is one of {', '.join(THEMES)}.")
        user.theme = theme
    if language is not None:
        if language not in LANGUAGES:
            raise BadInput(f"Language is one of {', '.join(LANGUAGES)}.")
        user.language = language


def record(
    session: Session, user_id: UUID | None, act: str, subject: str, now: datetime, **detail: object
) -> None:
    """Add an entry to the audit trail."""
    session.add(AuditEntry(at=now, user_id=user_id, act=act, subject=subject, detail=detail))
