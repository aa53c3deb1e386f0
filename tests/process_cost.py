"""What a command costs: python -I -S tests/process_cost.py SECONDS COMMAND..., printed as JSON.

A process of its own, and a small one: a child's peak of memory begins with that of its parent. The
command's output, of both streams, comes in the JSON; it is killed after so many seconds.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time


def cost(timeout: float, command: list[str]) -> dict[str, object]:
    """exit_code, seconds, processor_seconds, megabytes at the peak, output."""
    with tempfile.TemporaryFile() as output:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.setitimer(signal.ITIMER_REAL, timeout)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)  # it is waited for
        output.seek(0)
        return {
            "exit_code": child.returncode,
            "seconds": seconds,
            "processor_seconds": usage.ru_utime + usage.ru_stime,
            "megabytes": usage.ru_maxrss / 1024,
            "output": output.read().decode("utf-8", "replace"),
        }


if __name__ == "__main__":
    print(json.dumps(cost(float(sys.argv[1]), sys.argv[2:])))
