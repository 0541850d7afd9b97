# The two commands: `make run` and `make test`.

TARGET := $(or $(CARGO_TARGET_DIR),target)

.PHONY: run test bench compare lint

run:
	@.ci/needs
	cargo build --profile quick --locked
	@sed 's|TARGET|$(abspath $(TARGET))|' configs/quickstart.txt
	@exec $(TARGET)/quick/airdig run --config configs/quickstart.yaml

test:
	@.ci/needs tests
	@tests/peers/install.sh $(TARGET)/peers
	AIRDIG_PEERS=$(abspath $(TARGET))/peers cargo test --workspace --locked

bench:
	cargo bench --workspace --locked

compare:
	@.ci/needs collector
	@tests/peers/install.sh $(TARGET)/peers collector
	cargo bench --locked --bench compare -- \
	  --collector $(abspath $(TARGET))/peers/bin/otelcol --out benches/compare/RESULT.md $(COMPARE)

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
