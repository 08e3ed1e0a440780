"""Become another program that ends with its parent; as root, under an ordinary account.

Run by path with a bare interpreter (`python -I -S launch.py PARENT SIGNAL UID:GID PROGRAM ARG...`, `-` for
"keep the account"), it only changes what the kernel inherits across `exec`, then execs. So a `kill -9` of
the parent, after which no code of the parent runs, still ends the child: Linux sends it SIGNAL
(PR_SET_PDEATHSIG). Elsewhere nothing does; there the next start ends what an earlier one left behind
(`processes.end_leftover`).

PostgreSQL refuses to run as root. Under an ordinary account it could not reach a checkout below /root; rather
than open such directories to everyone, the program keeps the one capability to pass through them.
"""

import ctypes
import os
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def can_reach(program: Path) -> bool:
    """Whether any account may run `program`: it and every directory above it is open to all."""
    return all(part.stat().st_mode & 0o001 for part in (program, *program.parents))


def become(uid: int, gid: int, programs: tuple[Path, ...]) -> None:
    """Change to an ordinary account; keep passing through closed directories only when `programs` need it."""
    needs_reach = sys.platform == "linux" and not all(can_reach(path) for path in programs)
    if needs_reach:
        _checked(_libc().prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if needs_reach:
        _keep_reach(may_read_only=all(path.stat().st_mode & 0o001 for path in programs[:1]))


def _keep_reach(may_read_only: bool) -> None:
    """Keep one capability over `exec`: passing through directories, or (fallback) ignoring file modes."""
    libc = _libc()
    header = _Header(CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)()
    _checked(libc.capget(ctypes.byref(header), sets), "read capabilities")
    has_search = bool(sets[0].permitted & (1 << CAP_DAC_READ_SEARCH))
    capability = CAP_DAC_READ_SEARCH if has_search and may_read_only else CAP_DAC_OVERRIDE
    mask = 1 << capability
    for half, value in zip(sets, (mask, 0), strict=True):
        half.effective = half.permitted = half.inheritable = value
    _checked(libc.capset(ctypes.byref(header), sets), "set capabilities")
    _checked(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0), "pass on a capability")


def main(argv: list[str]) -> None:
    """Never returns: execs, or leaves with 126 and one line."""
    parent, signal_number, account, program = int(argv[0]), int(argv[1]), argv[2], argv[3]
    try:
        if account != "-":
            uid, _, gid = account.partition(":")
            # Its own data directory is closed to others and open to it; what matters is the way there.
            become(int(uid), int(gid), (Path(program), Path.cwd().parent))
        if sys.platform == "linux":
            # After the change of account, which clears it.
            _checked(_libc().prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0), "end with the parent")
        if os.getppid() != parent:
            sys.exit(126)  # the parent died before the line above
        os.execv(program, argv[3:])  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.stderr.write(f"cannot start {program}: {error}\n")
        sys.exit(126)


if __name__ == "__main__":
    main(sys.argv[1:])
