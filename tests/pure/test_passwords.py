from argon2 import PasswordHasher

from backend.officials import passwords


def test_a_guess_at_one_who_is_not_there_takes_as_long() -> None:
    assert not PasswordHasher().check_needs_rehash(passwords.NOBODYS)

    assert not passwords.matches(None, "no official has this password")
