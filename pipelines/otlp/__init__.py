"""Receives OpenTelemetry traces over HTTP and writes them where source `otel` reads them.

What a span means for the account belongs to the source.
"""
