"""Functions that tests run in guarded processes. Most do what they must not be able to do."""

import os
import sys
import threading
import time

CALLS = []


def echo(value):
    return value


def add(a, b=1):
    return a + b


def remember(value):
    CALLS.append(value)
    return list(CALLS)


def pid():
    return os.getpid()


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def power_tower():
    return 9**9**9**9


def spin():
    while True:
        pass


def allocate():
    kept = []
    while True:
        kept.append(bytearray(10**6))


def allocate_at_once():
    return len("a" * 10**12)


def recurse():
    return recurse()


def leave():
    sys.exit(3)


def leave_at_once():
    os._exit(7)


def interrupt():
    raise KeyboardInterrupt


def segfault():
    import ctypes

    return ctypes.string_at(0)


def abort():
    os.abort()


def unreadable():
    return object()


def long_answer():
    return "x" * 10**7


def deep_answer():
    value = []
    for _ in range(100_000):
        value = [value]
    return value


class Colliding(set):
    """Costs nothing to make, and encodes as a set whose members all have the same hash."""

    def __iter__(self):
        return (number * (2**61 - 1) for number in range(10_000))


def colliding_sets():
    return [Colliding() for _ in range(10)]


def print_much():
    for _ in range(2_000):
        print("x" * 10_000)
        print("x" * 10_000, file=sys.stderr)
    return "done"


def read_input():
    return input()


def environment():
    return dict(os.environ), os.getcwd(), os.listdir(".")


def write(path):
    with open(path, "w") as file:
        file.write("x")


def fill(path):
    with open(path, "wb") as file:
        for _ in range(10_000):
            file.write(b"x" * 10**6)


def remove(path):
    os.remove(path)


def rename(path):
    os.rename(path, path + "2")


def make_folder(path):
    os.mkdir(path)


def change_mode(path):
    os.chmod(path, 0o777)


def read(path):
    with open(path) as file:
        return file.read(20)


def fork():
    return os.fork()


def start_program():
    import subprocess

    return subprocess.run(["true"], check=False).returncode


def replace_itself():
    os.execv("/bin/true", ["true"])


def connect():
    import socket

    return socket.create_connection(("127.0.0.1", 9)).fileno()


def local_socket():
    import socket

    return len(socket.socketpair())


def kill_parent():
    os.kill(os.getppid(), 9)


def kill_all():
    os.kill(-1, 9)


def raise_limits():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def lower_limits_of(number):
    import resource

    resource.prlimit(number, resource.RLIMIT_NOFILE, (3, 3))


def renice(number):
    os.setpriority(os.PRIO_PROCESS, number, 19)


def use_threads():
    found = []
    thread = threading.Thread(target=lambda: found.append(1))
    thread.start()
    thread.join()
    return found


def use_numpy():
    import numpy as np

    return float(np.ones((50, 50)).sum())


def forge():
    """Write an answer to every open file, then do as asked."""
    for number in range(3, 64):
        try:
            os.write(number, b'\x0e\x00\x00\x00["ok", "forged"]' * 3)
        except OSError:
            continue
    return "own"


def adder(amount):
    return lambda value: value + int(amount)
