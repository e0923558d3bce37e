"""What a process may still do once it is guarded: limits, a system-call filter, Landlock.

`Guard` is prepared in the trusted parent of the guarded process (it opens files), and `apply` is
called in the child after the fork. What each layer does is said in `corgi_gym.rewards.isolate`;
`Guard.layers` lists those that this system has. Standard library only.

Facts are from the kernel's documentation: seccomp_filter.rst, landlock.rst, and the system-call
tables of x86-64 (syscall_64.tbl) and of the architectures with the generic table (arm64).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import signal
import struct
import sys
import sysconfig
from pathlib import Path
from typing import Any, Literal

Reads = Literal["all", "stdlib"]

# Open files of a guarded process: imports need a few at a time.
_MAX_OPEN_FILES = 128

# ---------------------------------------------------------------- prctl, seccomp

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 1, 22, 36, 38
_SECCOMP_MODE_FILTER = 2
_RET_ALLOW, _RET_KILL, _RET_ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOTTY, _ENOSYS = 1, 25, 38
# classic BPF: load a word of seccomp_data, compare, test bits, return
_LD, _JEQ, _JSET, _RET = 0x20, 0x15, 0x45, 0x06
_OFFSET_NR, _OFFSET_ARCH, _OFFSET_ARGS = 0, 4, 16
# O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | __O_TMPFILE
_WRITE_FLAGS = 0o3 | 0o100 | 0o1000 | 0o20000000
_CLONE_THREAD = 0x00010000
# fcntl: F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC. Not F_SETOWN and F_SETSIG,
# which send signals to other processes.
_FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030)

# name: (x86-64, generic table); None where the architecture has no such call. Calls without
# conditions: memory, reading, own file descriptors, time, waiting, and what libraries ask at start.
_ALLOWED: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "futex": (202, 98), "mmap": (9, 222),
    "munmap": (11, 215), "brk": (12, 214), "mprotect": (10, 226), "close": (3, 57),
    "fstat": (5, 80), "newfstatat": (262, 79), "lseek": (8, 62), "clock_gettime": (228, 113),
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72),
    "readv": (19, 65), "pread64": (17, 67), "preadv": (295, 69), "writev": (20, 66),
    "close_range": (436, 436), "stat": (4, None), "lstat": (6, None), "statx": (332, 291),
    "mremap": (25, 216), "madvise": (28, 233), "mincore": (27, 232), "membarrier": (324, 283),
    "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "rt_sigpending": (127, 136), "rt_sigtimedwait": (128, 137), "rt_sigsuspend": (130, 133),
    "sigaltstack": (131, 132), "access": (21, None), "faccessat": (269, 48),
    "faccessat2": (439, 439), "pipe": (22, None), "pipe2": (293, 59),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None),
    "epoll_pwait": (281, 22), "eventfd2": (290, 19), "dup": (32, 23), "dup2": (33, None),
    "dup3": (292, 24), "getcwd": (79, 17), "chdir": (80, 49), "fchdir": (81, 50),
    "getdents64": (217, 61), "readlink": (89, None), "readlinkat": (267, 78),
    "statfs": (137, 43), "fstatfs": (138, 44), "fadvise64": (221, 223),
    "gettimeofday": (96, 169), "time": (201, None), "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115), "nanosleep": (35, 101), "getpid": (39, 172),
    "gettid": (186, 178), "getppid": (110, 173), "getpgrp": (111, None), "getpgid": (121, 155),
    "getsid": (124, 156), "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176),
    "getegid": (108, 177), "getgroups": (115, 158), "getresuid": (118, 148),
    "getresgid": (120, 150), "uname": (63, 160), "sysinfo": (99, 179), "getrusage": (98, 165),
    "times": (100, 153), "getrandom": (318, 278), "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123), "getcpu": (309, 168), "getpriority": (140, 141),
    "get_mempolicy": (239, 236), "set_robust_list": (273, 99), "rseq": (334, 293),
    "set_tid_address": (218, 96), "arch_prctl": (158, None), "exit": (60, 93),
    "exit_group": (231, 94), "restart_syscall": (219, 128), "getrlimit": (97, 163),
    "alarm": (37, None), "setitimer": (38, 103), "getitimer": (36, 102), "pause": (34, None),
    "umask": (95, 166), "wait4": (61, 260), "waitid": (247, 95),
}  # fmt: skip
_OPEN, _OPENAT, _PRLIMIT = (2, None), (257, 56), (302, 261)
_CLONE, _CLONE3, _FCNTL, _IOCTL, _TGKILL = (56, 220), (435, 435), (72, 25), (16, 29), (234, 131)
# machine: (AUDIT_ARCH, column of the table)
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


def _instruction(code: int, k: int, true: int = 0, false: int = 0) -> bytes:
    return struct.pack("<HBBI", code, true, false, k)


def _filter(machine: str, pid: int) -> bytes:
    """The program: what is not listed fails with EPERM."""
    arch, column = _ARCHITECTURES[machine]

    def returns(value: int) -> bytes:
        return _instruction(_RET, value)

    def load(argument: int, high: bool = False) -> bytes:
        return _instruction(_LD, _OFFSET_ARGS + 8 * argument + 4 * high)

    def on(numbers: tuple[int | None, int | None], body: bytes) -> bytes:
        """Run ``body``, which ends in a return, for this system call."""
        number = numbers[column]
        return b"" if number is None else _instruction(_JEQ, number, 0, len(body) // 8) + body

    allow, deny = returns(_RET_ALLOW), returns(_RET_ERRNO | _EPERM)
    equal = _instruction(_JEQ, pid, 0, 1) + allow + deny
    parts = [
        _instruction(_LD, _OFFSET_ARCH),
        _instruction(_JEQ, arch, 1, 0),
        returns(_RET_KILL),
        _instruction(_LD, _OFFSET_NR),
        *(on(numbers, allow) for numbers in _ALLOWED.values()),
        on(_OPEN, load(1) + _instruction(_JSET, _WRITE_FLAGS, 0, 1) + deny + allow),
        on(_OPENAT, load(2) + _instruction(_JSET, _WRITE_FLAGS, 0, 1) + deny + allow),
        on(_CLONE, load(0) + _instruction(_JSET, _CLONE_THREAD, 0, 1) + allow + deny),
        on(_CLONE3, returns(_RET_ERRNO | _ENOSYS)),  # the C library then uses clone
        on(_IOCTL, returns(_RET_ERRNO | _ENOTTY)),
        on(_TGKILL, load(0) + equal),  # abort()
        on(
            _FCNTL,
            load(1) + b"".join(_instruction(_JEQ, c, 0, 1) + allow for c in _FCNTL_COMMANDS) + deny,
        ),
        on(  # reading limits only: the new limit is NULL
            _PRLIMIT,
            load(2)
            + _instruction(_JEQ, 0, 1, 0)
            + deny
            + load(2, high=True)
            + _instruction(_JEQ, 0, 1, 0)
            + deny
            + allow,
        ),
        deny,
    ]
    return b"".join(parts)


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, *arguments: int) -> bool:
    """Whether it worked; False where there is no prctl."""
    try:
        call = _libc().prctl
    except (AttributeError, OSError):
        return False
    padded = [ctypes.c_ulong(a) for a in (*arguments, 0, 0, 0, 0)[:4]]
    return call(ctypes.c_int(option), *padded) == 0


def die_with_parent() -> None:
    """Let the kernel kill this process when its parent (which must be single-threaded) ends."""
    parent = os.getppid()
    _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parent ends, so that they can be killed."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def _apply_seccomp() -> bool:
    machine = os.uname().machine
    if sys.platform != "linux" or machine not in _ARCHITECTURES or sys.maxsize < 2**32:
        return False
    code = ctypes.create_string_buffer(_filter(machine, os.getpid()))
    program = _Program(len(code) // 8, ctypes.addressof(code))
    return _prctl(_PR_SET_NO_NEW_PRIVS, 1) and _prctl(
        _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program)
    )


# ---------------------------------------------------------------- Landlock

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# EXECUTE and all that changes something: WRITE_FILE, REMOVE_*, MAKE_*, and later REFER (ABI 2),
# TRUNCATE (ABI 3), IOCTL_DEV (ABI 5)
_CHANGES_BY_ABI = ((1, 0b1_1111_1111_0011), (2, 1 << 13), (3, 1 << 14), (5, 1 << 15))


def _stdlib_entries() -> list[tuple[str, int]]:
    """The standard library's files and folders, without the packages installed inside it."""
    rules: list[tuple[str, int]] = []
    for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}:
        root = Path(folder)
        if not root.is_dir() or (root / "pyvenv.cfg").exists():
            continue
        rules.append((str(root), _READ_DIR))
        for entry in root.iterdir():
            if entry.name in ("site-packages", "dist-packages"):
                continue
            rules.append((str(entry), _READ_FILE | (_READ_DIR if entry.is_dir() else 0)))
    return rules


def _landlock_ruleset(reads: Reads) -> int | None:
    """A file descriptor for the child, or None where the kernel has no Landlock."""
    if sys.platform != "linux":
        return None
    call = _libc().syscall
    call.restype = ctypes.c_long
    abi = call(ctypes.c_long(_LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint32(1))
    if abi < 1:
        return None
    handled = sum(bits for since, bits in _CHANGES_BY_ABI if abi >= since)
    if reads == "stdlib":
        handled |= _READ_FILE | _READ_DIR
    network, scoped = (0b11 if abi >= 4 else 0), (0b11 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    attributes = struct.pack("=QQQ", handled, network, scoped)[:size]
    ruleset: int = call(
        ctypes.c_long(_LANDLOCK_CREATE), attributes, ctypes.c_size_t(size), ctypes.c_uint32(0)
    )
    if ruleset < 0:
        return None
    for path, access in _stdlib_entries() if reads == "stdlib" else ():
        with contextlib.suppress(OSError):
            target = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", access, target)
            call(ctypes.c_long(_LANDLOCK_ADD), ctypes.c_int(ruleset), ctypes.c_int(1), rule, 0)
            os.close(target)
    return ruleset


def _apply_landlock(ruleset: int) -> bool:
    if not _prctl(_PR_SET_NO_NEW_PRIVS, 1):
        return False
    call = _libc().syscall
    return call(ctypes.c_long(_LANDLOCK_RESTRICT), ctypes.c_int(ruleset), 0) == 0


# ---------------------------------------------------------------- the fallback inside Python

_REFUSED_EVENTS = (
    "socket.", "subprocess.", "os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system",
    "os.kill", "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink",
    "os.truncate", "os.chmod", "os.chown", "os.chflags", "os.utime", "os.setxattr",
    "os.removexattr", "os.putenv", "shutil.", "ctypes.", "fcntl.", "resource.setrlimit",
    "resource.prlimit", "signal.pthread_kill", "syslog.", "pty.", "sqlite3.connect",
)  # fmt: skip


def _apply_audit_hook(reads: Reads) -> None:
    """Refuse by Python's own audit events. Native code and tricks get past it."""
    folders = tuple(path for path, access in _stdlib_entries() if access & _READ_FILE)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(_REFUSED_EVENTS):
            raise PermissionError(_EPERM, f"{event} is not allowed here")
        if event != "open":
            return
        path, mode, flags = (*arguments, None, None, None)[:3]
        writes = isinstance(flags, int) and flags & _WRITE_FLAGS
        if writes or (isinstance(mode, str) and set(mode) & set("wax+")):
            raise PermissionError(_EPERM, "writing files is not allowed here")
        if reads == "stdlib" and not isinstance(path, int):
            text = os.path.realpath(os.fsdecode(path))
            if not any(text == one or text.startswith(one + os.sep) for one in folders):
                raise PermissionError(_EPERM, "reading this file is not allowed here")

    sys.addaudithook(hook)


# ---------------------------------------------------------------- all of it


def _limit(kind: int, value: int) -> None:
    """Set both limits; a lower hard limit that is in force stays."""
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    with contextlib.suppress(OSError, ValueError):  # macOS refuses some
        resource.setrlimit(kind, (value, value))


def _address_space() -> int:
    """Bytes of address space in use; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (OSError, ValueError):
        return 0
    return pages * resource.getpagesize()


class Guard:
    """The protection of one kind of guarded process.

    Args:
        reads: Which files it may read.
        memory_mb: Address space on top of what is loaded at the time of `apply`.
        use: Layers to use of those that the system has (tests leave some out).
    """

    def __init__(
        self, reads: Reads, memory_mb: int, use: tuple[str, ...] = ("seccomp", "landlock")
    ) -> None:
        self.reads, self.memory_mb = reads, memory_mb
        self._ruleset = _landlock_ruleset(reads) if "landlock" in use else None
        self._use_seccomp = "seccomp" in use
        self.layers: tuple[str, ...] = self._probe()

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Files that must be open when `apply` is called."""
        return () if self._ruleset is None else (self._ruleset,)

    @property
    def contains_children(self) -> bool:
        """Whether a guarded process cannot start another one."""
        return "seccomp" in self.layers

    def _probe(self) -> tuple[str, ...]:
        """Try the layers in a child: a kernel that lists a feature may still refuse it."""
        child = os.fork()
        if child == 0:
            landlock = self._ruleset is not None and _apply_landlock(self._ruleset)
            seccomp = self._use_seccomp and _apply_seccomp()
            os._exit(landlock + 2 * seccomp)
        bits = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        found = [name for bit, name in ((2, "seccomp"), (1, "landlock")) if bits > 0 and bits & bit]
        return (*found, "limits") if "seccomp" in found else (*found, "audit hook", "limits")

    def apply(self, cpu_seconds: float | None) -> None:
        """Guard this process, which must be single-threaded; there is no way back.

        Args:
            cpu_seconds: What it may use; None for a process that serves many items.
        """
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_FSIZE, 0)
        _limit(resource.RLIMIT_NOFILE, _MAX_OPEN_FILES)
        _limit(resource.RLIMIT_AS, _address_space() + self.memory_mb * 2**20)
        if cpu_seconds is not None:
            _limit(resource.RLIMIT_CPU, max(1, round(cpu_seconds)))  # the kernel counts seconds
        if "landlock" in self.layers and self._ruleset is not None:
            _apply_landlock(self._ruleset)
        if "seccomp" not in self.layers:
            _apply_audit_hook(self.reads)
        elif not _apply_seccomp():
            os._exit(1)
        if self._ruleset is not None:
            os.close(self._ruleset)
