"""What is asked of the machine: its name and load, cores, and a process's own counters in /proc."""
import ctypes
import datetime
import os
import platform
import re
import shutil
import subprocess
import time

LIBC = ctypes.CDLL(None)


def split_cores():
    """Cores for the engine and for everything around it; the same ones if there is only one."""
    have = sorted(os.sched_getaffinity(0))
    half = max(1, len(have) // 2)
    return {"engine": have[:half], "others": have[half:] or have, "shared": len(have) == 1}


def pinned(cores):
    """For subprocess: runs there and nowhere else."""
    return lambda: os.sched_setaffinity(0, cores)


def first_line(command):
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          check=False)
    return done.stdout.split("\n")[0].strip()


def describe():
    model = ""
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"model name\s*:\s*(.*)", file.read())
        model = found.group(1).strip() if found else platform.machine()
    with open("/etc/os-release", encoding="utf-8") as file:
        system = re.search(r'PRETTY_NAME="?([^"\n]*)', file.read()).group(1)
    return {"cpu": model, "cores": len(os.sched_getaffinity(0)), "system": system,
            "kernel": platform.release(), "openssl": first_line(["openssl", "version"]).split(" (")[0],
            "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
            "date": datetime.date.today().isoformat(), "load_before": os.getloadavg()[0]}


def cpu_seconds(pid):
    """User and system time of a process, with its threads that have ended; clock_getcpuclockid(3).

    In nanosecond steps: /proc/PID/stat counts in hundredths, and a short run fits between two of them.
    """
    clock = ctypes.c_int()
    failed = LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if failed:
        raise OSError(failed, os.strerror(failed), f"the CPU clock of process {pid}")
    return time.clock_gettime(clock.value)


def cpu_of_threads(pid):
    """Seconds by thread name, numbers taken off; of living threads, in nanosecond steps."""
    out = {}
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/comm", encoding="utf-8") as file:
                name = re.sub(r"[:.-]?\d+$", "", file.read().strip())
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="utf-8") as file:
                spent = int(file.read().split()[0]) / 1e9
        except FileNotFoundError:
            continue
        out[name] = out.get(name, 0) + spent
    return out


def peak_mib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"VmHWM:\s*(\d+)", file.read()).group(1)) / 1024


def context_switches(pid):
    """Voluntary ones, of living threads."""
    out = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/status", encoding="utf-8") as file:
                out += int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", file.read()).group(1))
        except FileNotFoundError:
            continue
    return out


def written_bytes(pid):
    """What the process sent towards the disk; needs the right to read /proc/PID/io."""
    try:
        with open(f"/proc/{pid}/io", encoding="utf-8") as file:
            return int(re.search(r"write_bytes:\s*(\d+)", file.read()).group(1))
    except PermissionError:
        return 0
