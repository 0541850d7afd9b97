"""Compares OTLP/JSON with Google's protobuf: protobuf_json.py ENDPOINT FILE COUNT.

Sends COUNT random requests of each signal to the OTLP/HTTP receiver at ENDPOINT, each as protobuf and
as JSON in one of the spellings that protobuf's mapping allows. FILE is what a `file` exporter writes
of them: each line, read by Google's protobuf, must be the request that was sent."""

import base64
import json
import random
import sys
import time
import urllib.request

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as Field
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

SIGNALS = {
    "traces": (ExportTraceServiceRequest, "resourceSpans"),
    "metrics": (ExportMetricsServiceRequest, "resourceMetrics"),
    "logs": (ExportLogsServiceRequest, "resourceLogs"),
}
GROUPS = {
    *("resource_spans", "scope_spans", "spans", "resource_logs", "scope_logs", "log_records"),
    *("resource_metrics", "scope_metrics", "metrics", "data_points"),
}
IDS = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
RANGES = {
    Field.TYPE_INT32: (-(2**31), 2**31 - 1),
    Field.TYPE_SINT32: (-(2**31), 2**31 - 1),
    Field.TYPE_ENUM: (0, 2),
    Field.TYPE_UINT32: (0, 2**32 - 1),
    Field.TYPE_FIXED32: (0, 2**32 - 1),
    Field.TYPE_INT64: (-(2**63), 2**63 - 1),
    Field.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    Field.TYPE_UINT64: (0, 2**64 - 1),
    Field.TYPE_FIXED64: (0, 2**64 - 1),
}
TEXTS = ["", "k", "service.name", 'quo"te\\', "\x00\x1f\n\t", "käse", "😀\u2028", "null", "1.5"]
DOUBLES = [0.0, -0.0, 1.0, -1.5, 0.1, 5e-324, 1.7976931348623157e308, float("nan"), float("inf"), float("-inf")]


def scalar(field):
    if field.type == Field.TYPE_STRING:
        return random.choice(TEXTS)
    if field.type == Field.TYPE_BOOL:
        return random.random() < 0.5
    if field.type == Field.TYPE_DOUBLE:
        return random.choice([random.choice(DOUBLES), random.uniform(-1e9, 1e9), random.gauss(0, 1) * 1e-200])
    if field.type == Field.TYPE_BYTES:
        length = IDS.get(field.name)
        return random.randbytes(random.choice([0, length]) if length else random.randrange(8))
    low, high = RANGES[field.type]
    return random.choice([low, high, 0, 1, random.randint(low, high)])


def fill(message, depth=0):
    """Gives random fields random values. Groups are never empty, so that no request is."""
    members = {oneof.name: random.choice(oneof.fields).name for oneof in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        is_group = field.name in GROUPS
        if oneof and members[oneof.name] != field.name:
            continue
        if not (is_group or oneof) and random.random() < 0.4:
            continue
        # Values in values end somewhere.
        if field.name in ("array_value", "kvlist_value") and depth > 12:
            continue
        if field.is_repeated:
            for _ in range(random.randint(1, 2) if is_group else random.randrange(3)):
                if field.message_type:
                    fill(getattr(message, field.name).add(), depth + 1)
                else:
                    getattr(message, field.name).append(scalar(field))
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            fill(getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, scalar(field))


def with_ids(value, convert):
    """The same JSON with other texts for ids."""
    if isinstance(value, list):
        return [with_ids(item, convert) for item in value]
    if not isinstance(value, dict):
        return value
    is_id = {"traceId", "spanId", "parentSpanId", *IDS}
    return {key: convert(item) if key in is_id else with_ids(item, convert) for key, item in value.items()}


def spelled(value, key=""):
    """The same JSON with other spellings of numbers, and with nulls and fields that OTLP does not have."""
    if isinstance(value, list):
        return [spelled(item, key) for item in value]
    if isinstance(value, dict):
        fields = {name: spelled(item, name) for name, item in value.items()}
        if random.random() < 0.1:
            fields["unknownField"] = [{"a": None}, "\n", 1e5]
        return fields
    is_int64 = key in ("intValue", "asInt", "count", "zeroCount", "bucketCounts") or key.endswith("UnixNano")
    if is_int64 and isinstance(value, str):
        return random.choice([value, int(value), value + ".0", value + "e0"])
    if key in ("doubleValue", "asDouble", "explicitBounds") and isinstance(value, float):
        return random.choice([value, repr(value)])
    return value


def to_json(request):
    value = json_format.MessageToDict(
        request,
        preserving_proto_field_name=random.random() < 0.3,
        use_integers_for_enums=random.random() < 0.5,
        always_print_fields_with_no_presence=random.random() < 0.3,
    )
    def to_hex(text):
        digits = base64.b64decode(text).hex()
        return random.choice([digits, digits.upper()])

    return json.dumps(spelled(with_ids(value, to_hex)), ensure_ascii=random.random() < 0.5)


def post(signal, body, content_type):
    url = f"http://{endpoint}/v1/{signal}"
    urllib.request.urlopen(urllib.request.Request(url, body, {"content-type": content_type})).read()


def read_lines(count):
    for _ in range(100):
        with open(path, encoding="utf-8") as file:
            # Not `splitlines`, which ends lines at characters that texts have.
            lines = file.read().removesuffix("\n").split("\n")
        if len(lines) >= count:
            break
        time.sleep(0.1)
    assert len(lines) == count, f"{len(lines)} lines, not {count}"
    return [json.loads(line) for line in lines]


def check(sent, line):
    request, key = SIGNALS[sent[0]]
    assert list(line) == [key], line
    read = request()
    json_format.ParseDict(with_ids(line, lambda text: base64.b64encode(bytes.fromhex(text)).decode()), read)
    same = read.SerializeToString(deterministic=True) == sent[1].SerializeToString(deterministic=True)
    assert same, f"sent {sent[1]}\nas {sent[2]}\nread {read}\nfrom {json.dumps(line)}"


def main():
    random.seed(7)
    sent = []
    for _ in range(count):
        for signal, (request, _key) in SIGNALS.items():
            message = request()
            fill(message)
            post(signal, message.SerializeToString(), "application/x-protobuf")
            sent.append((signal, message, "protobuf"))
            text = to_json(message)
            post(signal, text.encode(), "application/json")
            sent.append((signal, message, text))
    for one, line in zip(sent, read_lines(len(sent)), strict=True):
        check(one, line)


if __name__ == "__main__":
    endpoint, path, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    main()
