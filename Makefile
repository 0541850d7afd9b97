# The two commands: `make run` and `make test`.

TARGET := $(or $(CARGO_TARGET_DIR),target)
TYPOS_VERSION := 1.52.0
TYPOS := $(TARGET)/tools/bin/typos-$(TYPOS_VERSION)

.PHONY: run test bench bench-scan compare lint

run:
	@.ci/needs
	cargo build --profile quick --locked --no-default-features
	@sed 's|TARGET|$(abspath $(TARGET))|' configs/quickstart.txt
	@exec $(TARGET)/quick/airdig run --config configs/quickstart.yaml

test:
	@.ci/needs tests
	@tests/peers/install.sh $(TARGET)/peers
	# The same generated histories each time; `cargo test` alone takes new ones.
	PROPTEST_RNG_SEED=20261128 AIRDIG_PEERS=$(abspath $(TARGET))/peers cargo test --workspace --locked

bench:
	cargo bench --workspace --locked

# What scans of a large AWS account cost.
bench-scan:
	@.ci/needs tests
	@tests/peers/install.sh $(TARGET)/peers python
	cargo build --release --locked
	$(TARGET)/peers/python/bin/python benches/scan/scan.py --airdig $(TARGET)/release/airdig

compare:
	@.ci/needs collector
	@tests/peers/install.sh $(TARGET)/peers collector
	cargo bench --locked --bench compare -- \
	  --collector $(abspath $(TARGET))/peers/bin/otelcol --out benches/compare/RESULT.md $(COMPARE)

lint: $(TYPOS)
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	cargo test --locked --test whole style::
	$(TYPOS)

# The spell checker, with its version in its name, so that another version is installed when the number changes.
$(TYPOS):
	cargo install typos-cli --version $(TYPOS_VERSION) --locked --root $(TARGET)/tools
	mv $(TARGET)/tools/bin/typos $@
