"""Runs a command for `measure`, and writes what it took into a file.

A process counts the memory of the one it was started by as its own until it runs its program. So
what starts it has to be small, which the benchmark is not any more after some cases.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time

file, *command = sys.argv[1:]
started = time.time()
process = subprocess.Popen(command)  # noqa: S603
_, status, usage = os.wait4(process.pid, 0)
took = (started, time.time(), usage.ru_utime + usage.ru_stime, usage.ru_maxrss, status)
with open(file, "w", encoding="utf-8") as out:  # noqa: PTH123 - an import that takes memory
    json.dump(took, out)
os._exit(0)
