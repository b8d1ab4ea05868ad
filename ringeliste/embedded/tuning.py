"""How the embedded servers are set, in one place, each with its reason. Meant for two cores and up."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import psutil

MEGABYTE = 2**20

POSTGRES: Mapping[str, str] = {
    # Who may come in: only who can open the socket, and its directory belongs to the servers' account.
    "listen_addresses": "''",
    "unix_socket_permissions": "0700",
    "max_connections": "200",  # 2 workers of 4 threads, web pool, links, scheduler: about 80, and room
    # Nothing is lost: these are the defaults, stated because a promise hangs on them (P5).
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Solid state disks: a random page costs hardly more than the next one.
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs 0.3 s where the segment scan itself takes 0.45 s
    "work_mem": "32MB",  # the rebuild's hash and sorts of 1 M rows stay in memory
    "maintenance_work_mem": "256MB",  # indexes after an import
    # An import writes gigabytes of log: checkpoints by the clock, not every few seconds by size.
    "max_wal_size": "4GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    # Placements and leases are rewritten all day: vacuum at 5 % dead rows, not at 20 %.
    "autovacuum_vacuum_scale_factor": "0.05",
    "autovacuum_analyze_scale_factor": "0.05",
    # A plan made while its table was empty is kept until the first ANALYZE: that comes within seconds (what
    # an import fills is counted by the import itself, calling/planner.py).
    "autovacuum_naptime": "15s",
    # Logs: a week of days. Never the values of a statement, nor DETAIL lines: numbers stand in them.
    "logging_collector": "on",
    "log_filename": "'postgresql-%a.log'",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_duration_statement": "1s",
    "log_lock_waits": "on",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_timezone": "'UTC'",
    "timezone": "'UTC'",
    "lc_messages": "'C'",
}

REDIS: Mapping[str, str] = {
    "port": "0",  # no TCP
    "unixsocketperm": "700",
    "daemonize": "yes",
    "databases": "64",
    # Commands survive a kill up to the last second; a tail cut off by it is dropped at the next start.
    "appendonly": "yes",
    "appendfsync": "everysec",
    "aof-load-truncated": "yes",
    "save": '""',  # the append-only file is the only copy
    # A queue must refuse what it cannot keep: it never throws away old entries for new ones.
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
}


def postgres_settings(own: Mapping[str, str]) -> dict[str, str]:
    """The settings for this machine; `own` wins."""
    memory = psutil.virtual_memory().total // MEGABYTE
    sized = {
        # An eighth of the memory: the operating system's cache keeps the rest, and we share the machine.
        "shared_buffers": f"{max(128, min(memory // 8, 1024))}MB",
        "effective_cache_size": f"{max(256, memory // 2)}MB",
    }
    if _small(Path("/dev/shm")):  # noqa: S108 - not a temporary file: where PostgreSQL shares memory
        sized["dynamic_shared_memory_type"] = "sysv"  # containers give /dev/shm 64 MB: a parallel scan fails
    return {**POSTGRES, **sized, **own}


def _small(mount: Path) -> bool:
    return not mount.is_dir() or shutil.disk_usage(mount).total < 256 * MEGABYTE
