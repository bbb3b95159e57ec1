"""What the disk can do at best: files written, synced, renamed and their directory synced, per second.

    python3 bench/limits.py DIRECTORY

The figure that durable delivery is set against; measure it where the mail lies, in the same run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
import time

PAYLOAD = b"x" * 4096


def durable_files(place: str, writers: int = 10, seconds: float = 2.0) -> float:
    """Durable files a second, `writers` at once, each into a folder of its own, as deliveries to many mailboxes are."""
    counts = [0] * writers
    with tempfile.TemporaryDirectory(dir=place) as top:
        start = time.monotonic()
        threads = [
            threading.Thread(target=_write, args=(os.path.join(top, str(n)), counts, n, start + seconds))
            for n in range(writers)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.monotonic() - start)


def _write(folder: str, counts: list[int], mine: int, until: float) -> None:
    os.mkdir(folder)
    directory = os.open(folder, os.O_RDONLY)
    while time.monotonic() < until:
        temporary = os.path.join(folder, "tmp")
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY, 0o600)
        os.write(descriptor, PAYLOAD)
        os.fsync(descriptor)
        os.close(descriptor)
        os.rename(temporary, os.path.join(folder, str(counts[mine])))
        os.fsync(directory)
        counts[mine] += 1
    os.close(directory)


if __name__ == "__main__":
    for number in (1, 10):
        print(f"{number:3} writers: {durable_files(sys.argv[1], number):8.0f} durable files/s")
