"""Bodies of OTLP/HTTP requests as OTLP/JSON payloads, and the answers to them, in protobuf and JSON.

What is kept of a payload is decided by the source's own rules; how requests come in does not belong here.
"""

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from pipelines.sources._otlp_reading import parsed
from pipelines.sources._otlp_words import Words

PROTOBUF, JSON = "application/x-protobuf", "application/json"
_VALUES = {"string_value": "stringValue", "int_value": "intValue", "double_value": "doubleValue"}


@dataclass(frozen=True)
class Signal:
    """A kind of request.

    Attributes:
        opened: Makes an OTLP/JSON payload of a request in protobuf.
        rejected: Where the answer counts what was refused, in protobuf; `rejected_json` the same in JSON.
    """

    request: Any
    response: Any
    opened: Callable[[Any, Words], dict[str, Any]]
    rejected: str
    rejected_json: str


class Unreadable(Exception):
    """A body that is no request of OTLP, with the reason."""


class TooLarge(Exception):
    """A body that is longer than is read."""


def unpacked(body: bytes, limit: int) -> bytes:
    """The body without gzip.

    Raises:
        TooLarge: it would be longer than `limit` bytes.
        Unreadable: it is not gzip, or is cut off.
    """
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    try:
        content = inflater.decompress(body, limit + 1)
    except zlib.error as error:
        raise Unreadable("it is not gzip") from error
    if len(content) > limit:
        raise TooLarge
    if not inflater.eof or inflater.unused_data:
        raise Unreadable("its gzip stream does not end where it does")
    return content


def payload(body: bytes, kind: str, signal: Signal, words: Words) -> Any:
    """The request as an OTLP/JSON payload.

    Raises:
        Unreadable: it is not what its content type says.
    """
    if kind == JSON:
        value, wrong = parsed(body)
        if wrong:
            raise Unreadable(wrong)
        return value
    try:
        return signal.opened(signal.request.FromString(body), words)
    except DecodeError as error:
        raise Unreadable(f"it is no {signal.request.__name__}") from error


def accepted(kind: str, signal: Signal, refused: int, why: str) -> bytes:
    """The answer to a request that was taken, but for so many spans or points."""
    if kind == JSON:
        told = {"partialSuccess": {signal.rejected_json: str(refused), "errorMessage": why}} if refused else {}
        return json.dumps(told).encode()
    answer = signal.response()
    if refused:
        setattr(answer.partial_success, signal.rejected, refused)
        answer.partial_success.error_message = why
    return answer.SerializeToString()


def failed(kind: str, why: str) -> bytes:
    """The answer to a request that was not taken: google.rpc.Status with its message, which is field 2."""
    if kind == JSON:
        return json.dumps({"message": why}).encode()
    text = why.encode()[:127]  # so that its length takes one byte
    return bytes((0x12, len(text))) + text


def _spans(request: ExportTraceServiceRequest, words: Words) -> dict[str, Any]:
    return {"resourceSpans": [{
        "resource": {"attributes": _attributes(resource.resource.attributes, words.of_resource)},
        "scopeSpans": [{
            "scope": {"name": group.scope.name},
            "spans": [{
                "traceId": span.trace_id.hex(), "spanId": span.span_id.hex(), "name": span.name,
                "startTimeUnixNano": str(span.start_time_unix_nano), "endTimeUnixNano": str(span.end_time_unix_nano),
                "attributes": _attributes(span.attributes, words.of_span), "status": {"code": span.status.code},
            } for span in group.spans],
        } for group in resource.scope_spans],
    } for resource in request.resource_spans]}


def _attributes(attributes: Any, wanted: frozenset[str]) -> list[dict[str, Any]]:
    """Those that are read; a value that is no text and no number is none."""
    found = ((each.key, each.value, each.value.WhichOneof("value")) for each in attributes if each.key in wanted)
    return [{"key": key, "value": {_VALUES[kind]: getattr(value, kind)}}
            for key, value, kind in found if kind in _VALUES]


def _metrics(request: ExportMetricsServiceRequest, words: Words) -> dict[str, Any]:
    return MessageToDict(request)


TRACES = Signal(ExportTraceServiceRequest, ExportTraceServiceResponse, _spans, "rejected_spans", "rejectedSpans")
METRICS = Signal(
    ExportMetricsServiceRequest, ExportMetricsServiceResponse, _metrics, "rejected_data_points", "rejectedDataPoints")
