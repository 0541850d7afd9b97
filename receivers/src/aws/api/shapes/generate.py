"""Writes the tables beside this file: the names and types of the fields in AWS's XML responses.

    pip install botocore && python receivers/src/aws/api/shapes/generate.py

The names are those of AWS's own API models, which botocore (Apache-2.0) carries. A table has every Describe, List and
Get operation of its service, so that a new kind of resource needs no new table.
"""

import gzip
import json
import pathlib

import botocore

SERVICES = {
    "ec2": "ec2",
    "rds": "rds",
    "elasticloadbalancingv2": "elbv2",
    "autoscaling": "autoscaling",
    "iam": "iam",
    "s3": "s3",
    "sts": "sts",
    "route53": "route53",
}
SCALARS = {
    "string": "s", "character": "s", "timestamp": "s", "blob": "s",
    "integer": "i", "long": "i", "float": "d", "double": "d", "boolean": "b",
}  # fmt: skip
# The outermost element of the response is the field itself, but the model does not say so.
ROOTS = {"GetBucketLocation": ".LocationConstraint"}
HERE = pathlib.Path(__file__).parent
MODELS = pathlib.Path(botocore.__file__).parent / "data"


class Table:
    def __init__(self, model):
        self.model = model
        self.protocol = model["metadata"]["protocol"]
        self.operations = []
        self.structures = {}

    def add(self, name, operation):
        output = operation.get("output")
        if output is None:
            return
        shape = self.model["shapes"][output["shape"]]
        payload, wrapper = shape.get("payload"), output.get("resultWrapper")
        if payload and self.model["shapes"][shape["members"][payload]["shape"]].get("type") == "blob":
            return
        root = ROOTS.get(name) or (f".{payload}" if payload else wrapper or "")
        self.operations.append(f"> {name} {self.type(output)} {root}".rstrip())

    def type(self, reference, flattened=False):
        name = reference["shape"]
        shape = self.model["shapes"][name]
        if shape["type"] == "structure":
            self.structure(name, shape)
            return name
        if shape["type"] == "list":
            member = shape["member"]
            location = member.get("locationName", "member")
            mark = "* " if flattened or shape.get("flattened") else f"[{location} "
            return mark + self.type(member)
        if shape["type"] == "map":
            key, value = shape["key"], shape["value"]
            locations = key.get("locationName", "key"), value.get("locationName", "value")
            return "{%s %s " % locations + self.type(value)
        return SCALARS[shape["type"]]

    def structure(self, name, shape):
        if name in self.structures:
            return
        self.structures[name] = lines = []
        for member, reference in shape.get("members", {}).items():
            if "location" in reference or reference.get("xmlAttribute"):
                continue
            listed = self.model["shapes"][reference["shape"]]
            flattened = reference.get("flattened") or listed.get("flattened")
            location = reference.get("locationName")
            if location is None and flattened:
                location = listed["member"].get("locationName")
            lines.append(f" {member} {location or member} {self.type(reference, flattened)}")

    def text(self, service):
        head = f"# {service}, of botocore {botocore.__version__}; written by generate.py\n"
        structures = (f"{name}\n" + "".join(f"{line}\n" for line in lines) for name, lines in sorted(self.structures.items()))
        return head + "\n".join(self.operations) + "\n" + "".join(structures)


def newest(service):
    versions = sorted((MODELS / service).iterdir())
    models = [version / "service-2.json.gz" for version in versions if (version / "service-2.json.gz").exists()]
    return json.load(gzip.open(models[-1]))


for crate, service in SERVICES.items():
    model = newest(service)
    table = Table(model)
    for name, operation in sorted(model["operations"].items()):
        if name.startswith(("Describe", "List", "Get")):
            table.add(name, operation)
    (HERE / f"{crate}.txt").write_text(table.text(crate))
