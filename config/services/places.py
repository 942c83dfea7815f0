"""Where services may live: private folders for sockets, and folders that another user can reach."""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from pathlib import Path

from config.services.command import Account
from config.services.errors import ServiceError

# Unix socket paths end at 107 bytes, so sockets never lie below a data folder.
SOCKETS = Path("/tmp")  # noqa: S108 - the folders made in it are private
# As root, PostgreSQL must run as another user, and a checkout below /root is closed to it.
SYSTEM = Path("/var/lib/scriptorium")
ACCOUNTS = ("scriptorium", "postgres", "nobody")


def service_account() -> Account | None:
    """None unless we are root: then the first account of ACCOUNTS that this machine has."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    for name in ACCOUNTS:
        if name in known:
            return Account(name, known[name].pw_uid, known[name].pw_gid)
    raise ServiceError(
        f"PostgreSQL cannot run as root; make a user for it first, for example: useradd -r {ACCOUNTS[0]}"
    )


def open_to(path: Path, account: Account) -> bool:
    """Can this user pass through every folder down to `path`? (Group rights are left out: safe, never wrong.)"""
    for folder in (path, *path.parents):
        info = folder.stat()
        needed = stat.S_IXUSR if info.st_uid == account.uid else stat.S_IXOTH
        if not info.st_mode & needed:
            return False
    return True


def socket_folder(data: Path, account: Account | None) -> Path:
    """A private folder, always the same for the same data; refused if it belongs to somebody else."""
    owner = account.uid if account else os.geteuid()
    folder = SOCKETS / f"scriptorium-{owner}-{hashlib.sha256(os.fsencode(data)).hexdigest()[:12]}"
    try:
        folder.mkdir(mode=0o700)
        if account:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        info = folder.lstat()
        if not stat.S_ISDIR(info.st_mode) or info.st_uid != owner or info.st_mode & 0o077:
            raise ServiceError(f"{folder} is not a private folder of ours: remove it, it only holds sockets.") from None
    return folder


def data_home(folder: Path, account: Account | None) -> Path:
    """Where the data of `folder` lies: there, or behind a link where the account cannot get to it."""
    if folder.is_symlink():
        home = folder.readlink()
        if not home.parent.is_dir():
            raise ServiceError(
                f"{folder} leads to {home}, which is gone: restore it, or remove the link to start anew."
            )
        return home
    if account is None or folder.exists() or open_to(folder.parent, account):
        return folder
    SYSTEM.mkdir(mode=0o755, parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="data-", dir=SYSTEM))
    home.chmod(0o711)
    folder.symlink_to(home / folder.name)
    return home / folder.name


def reachable_copy(package: Path, parts: tuple[Path, ...], account: Account | None) -> Path:
    """`package` itself or, where the account cannot get to it, a copy of its `parts` (made once) that it can."""
    if account is None or open_to(package, account):
        return package
    stamp = f"{package}{[part.stat().st_mtime_ns for part in parts]}"
    copy = SYSTEM / f"bin-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    if not copy.exists():
        SYSTEM.mkdir(mode=0o755, parents=True, exist_ok=True)
        making = Path(tempfile.mkdtemp(prefix="making-", dir=SYSTEM))
        for part in parts:
            shutil.copytree(part, making / part.relative_to(package), symlinks=True)
        making.chmod(0o755)
        making.rename(copy)
    return copy
