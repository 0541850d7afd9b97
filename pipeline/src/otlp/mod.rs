//! OTLP bytes ⇄ batches.
