# The two commands: `make run` and `make test`.

TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: run test bench lint

run:
	@.ci/needs
	cargo build --profile quick --locked
	@echo "OTLP: 127.0.0.1:4317 (gRPC), 127.0.0.1:4318 (HTTP); lines: telemetry.jsonl; own metrics: http://127.0.0.1:8888/metrics"
	@exec $(TARGET)/quick/airdig run --config configs/quickstart.yaml

test:
	@.ci/needs tests
	@tests/peers/install.sh $(TARGET)/peers
	AIRDIG_PEERS=$(abspath $(TARGET))/peers cargo test --workspace --locked

bench:
	cargo bench --workspace --locked

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
