"""Builds the account of README.md in moto: account.py --endpoint URL.

Resets moto first. Prints one JSON object: logical name → id, uid, kind.
"""

import argparse
import json

import access
import balancers
import compute
import databases
import dns
import groups
import network
import storage
from cloud import Cloud


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--endpoint", required=True)
    cloud = Cloud(arguments.parse_args().endpoint.rstrip("/"))
    cloud.reset()
    for part in [access, network, groups, compute, databases, storage, balancers, dns]:
        part.build(cloud)
    compute.scaling_groups(cloud)
    compute.end_instances(cloud)
    compute.name_parts(cloud)
    groups.name_rules(cloud)
    print(json.dumps(cloud.names, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
