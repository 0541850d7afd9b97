"""Sends 20 spans, 3 metrics and 10 log records with the OpenTelemetry SDK: send.py grpc|http ENDPOINT."""

import logging
import sys

from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

protocol, endpoint = sys.argv[1:]
if protocol == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    def to(exporter, _signal):
        return exporter(endpoint=endpoint, insecure=True)
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    def to(exporter, signal):
        return exporter(endpoint=f"http://{endpoint}/v1/{signal}", compression=Compression.Gzip)


resource = Resource.create({"service.name": f"python-{protocol}", "service.namespace": "tests"})

tracing = TracerProvider(resource=resource)
tracing.add_span_processor(BatchSpanProcessor(to(OTLPSpanExporter, "traces")))
tracer = tracing.get_tracer("send.py", "1.0")
for number in range(10):
    with tracer.start_as_current_span("parent", kind=SpanKind.SERVER) as parent:
        parent.set_attribute("text", "käse")
        parent.set_attribute("int", number)
        parent.set_attribute("double", number + 0.5)
        parent.set_attribute("bool", number % 2 == 0)
        parent.set_attribute("list", ["a", "b"])
        parent.add_event("begun", {"n": number})
        with tracer.start_as_current_span("child", kind=SpanKind.CLIENT):
            pass
tracing.shutdown()

metering = MeterProvider(
    resource=resource,
    metric_readers=[PeriodicExportingMetricReader(to(OTLPMetricExporter, "metrics"), export_interval_millis=3_600_000)],
)
meter = metering.get_meter("send.py")
meter.create_counter("requests").add(7)
meter.create_histogram("duration", unit="s").record(0.25)
meter.create_up_down_counter("queue").add(-3)
metering.shutdown()

logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(to(OTLPLogExporter, "logs")))
logger = logging.getLogger("send")
logger.addHandler(LoggingHandler(logger_provider=logs))
for number in range(10):
    logger.warning("out of cheese %d", number, extra={"n": number})
logs.shutdown()
