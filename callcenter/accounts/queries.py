"""Reads of users."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlmodel import Session, select

from callcenter.models import User

MIN_PASSWORD = 10
hasher = PasswordHasher()


@lru_cache(maxsize=1)
def _nobody() -> str:
    """A hash that nobody's password has: who is unknown is refused after as long as who is known."""
    return hasher.hash("nobody")


def password_matches(password_hash: str, password: str) -> bool:
    """Whether a password is the one that was hashed (argon2id)."""
    try:
        return hasher.verify(password_hash, password)
    except VerificationError:
        return False


def authenticate(session: Session, login: str, password: str) -> User | None:
    """Return the active user with this login and password; None otherwise, in the same time."""
    user = session.exec(select(User).where(User.login == login.strip().lower())).first()
    matches = password_matches(user.password_hash if user else _nobody(), password)
    return user if user and matches and user.is_active else None
