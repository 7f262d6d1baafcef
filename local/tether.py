"""Becomes a command that ends when its parent ends, even if that was killed with -9.

Usage: python tether.py <parent pid> <signal on its death> <uid:gid or -> <command> [argument …]

Run as a program of its own, not as a `preexec_fn`: nothing of ours runs between fork and exec, so
the parent may have threads. The kernel ties the signal to the *thread* that forked: see processes.
"""

from __future__ import annotations

import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG = 1

# A socket is a file, and shells often allow a thousand.
FILES = 65_536


def main(parent: str, farewell: str, account: str, *command: str) -> None:
    """Allow many files, drop rights, tie to the parent, exec. Never returns."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    allowed = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))
    if account != "-":
        # Changing the account clears the death signal, so this comes first.
        uid, gid = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(farewell))
    # The parent may have died before the line above: then nobody would tell us.
    if os.getppid() != int(parent):
        sys.exit("The parent is gone.")
    os.execvp(command[0], command)  # noqa: S606 - a shell would be one more process to lose


if __name__ == "__main__":
    main(*sys.argv[1:])
