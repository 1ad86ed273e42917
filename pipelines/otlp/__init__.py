"""Receives OpenTelemetry traces and metrics over HTTP and writes them where the sources read them.

What a span means for the account belongs to the source.
"""
