# SPDX-License-Identifier: Apache-2.0
"""pi.py DIGITS LOG RESULT: digits of pi, one thread computing and one writing a log."""
import sys
import threading
import time

digits, log_path, result_path = int(sys.argv[1]), sys.argv[2], sys.argv[3]
found = []
finished = threading.Event()


def write_log():
    started = time.monotonic()
    with open(log_path, "a", buffering=1) as log:
        while not finished.wait(0.1):
            log.write(f"{time.monotonic() - started:6.1f} s: {len(found)} of {digits} digits\n")
        log.write(f"done: {len(found)} digits\n")


def compute():
    """Gibbons' unbounded spigot: one digit after another, from ever larger whole numbers."""
    q, r, t, k, n, l = 1, 0, 1, 1, 3, 3
    while len(found) < digits:
        if 4 * q + r - t < n * t:
            found.append(str(n))
            q, r, n = 10 * q, 10 * (r - n * t), (10 * (3 * q + r)) // t - 10 * n
        else:
            q, r, t, k, n, l = (q * k, (2 * q + r) * l, t * l, k + 1,
                                (q * (7 * k + 2) + r * l) // (t * l), l + 2)


logger = threading.Thread(target=write_log, name="logger")
logger.start()
compute()
finished.set()
logger.join()
with open(result_path, "w") as result:
    result.write("".join(found))
