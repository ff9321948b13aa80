"""Who runs this command, as the operating system knows."""

import getpass
import os

NAME_MAX = 100


def system_user() -> str:
    try:
        return getpass.getuser()[:NAME_MAX]
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
