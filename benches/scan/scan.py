"""Measures scans of a large AWS account: `make bench-scan`, or

    scan.py --airdig BINARY [--resources 5000] [--scans 3]

The account is that of tests/aws/big.py in a new moto. moto is far slower than AWS: the duration of a scan measures
moto, the CPU time measures airdig. The pipeline is aws → graph → sqlite. Run it with a release build and the Python
of tests/peers/install.sh.
"""

import argparse
import json
import os
import pathlib
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).parents[2]
CONFIG = """
receivers:
  aws:
    endpoint: ${{env:ENDPOINT}}
    regions: [us-east-1]
    interval: 1s
    rate_limits: {{{limits}}}
    store: sqlite
processors: {{graph: {{}}}}
exporters: {{sqlite: {{path: graph.db}}}}
service: {{pipelines: {{resources: {{receivers: [aws], processors: [graph], exporters: [sqlite]}}}}}}
"""
SERVICES = "autoscaling ec2 elasticloadbalancing iam kms lambda rds route53 s3".split()


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--airdig", type=pathlib.Path, required=True)
    arguments.add_argument("--resources", type=int, default=5000)
    arguments.add_argument("--scans", type=int, default=3)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        moto, url = start_moto()
        try:
            built = subprocess.run(
                [sys.executable, ROOT / "tests/aws/big.py", "--endpoint", url, "--resources", str(given.resources)],
                check=True, capture_output=True, text=True, env=credentials(url),
            )  # fmt: skip
            print("account:", ", ".join(f"{n} {kind}" for kind, n in json.loads(built.stdout).items()))
            scans(given, folder, url)
        finally:
            moto.kill()


def start_moto():
    port = 15077
    server = pathlib.Path(sys.executable).with_name("moto_server")
    moto = subprocess.Popen([server, "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{url}/moto-api/")
            return moto, url
        except OSError:
            time.sleep(0.1)
    raise SystemExit("moto does not respond")


def credentials(url):
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_EC2_METADATA_DISABLED": "true"}
    return os.environ | keys | {"ENDPOINT": url}


def scans(given, folder, url):
    limits = ", ".join(f"{service}: 100000" for service in SERVICES)
    (folder / "scan.yaml").write_text(CONFIG.format(limits=limits))
    airdig = subprocess.Popen(
        [given.airdig.resolve(), "run", "--config", "scan.yaml"],
        cwd=folder, env=credentials(url), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    print(f"{'scan':>4} {'resources':>9} {'seconds':>8} {'CPU s':>6} {'a 1,000':>8} {'rows written':>12} {'MiB':>5}")
    before, rows, number = cpu(airdig.pid), 0, 0
    for line in airdig.stderr:
        entry = json.loads(line)
        if entry.get("message") != "scanned":
            if entry.get("level") in ("WARN", "ERROR"):
                print(line, end="")
            continue
        number += 1
        now, stored = cpu(airdig.pid), stored_rows(folder / "graph.db")
        used, resources = now - before, entry["resources"]
        print(
            f"{number:4} {resources:9} {entry['took']:>8} {used:6.2f} {1000 * used / resources:8.3f} {stored - rows:12} "
            f"{resident(airdig.pid):5}"
        )
        before, rows = now, stored
        if number == given.scans:
            break
    airdig.send_signal(signal.SIGTERM)
    airdig.wait()


def stored_rows(path):
    tables = "facts", "completions", "members", "relations", "aliases"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as database:
        return sum(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def cpu(pid):
    """User and system CPU seconds of a process. Source: proc_pid_stat(5)."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024


main()
