//! `airdig scan`: scans AWS accounts once and prints their resources.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use pipeline::component::ErrorChain;
use pipeline::registry::{ComponentClass, Registry};
use pipeline::{Batch, json_rows, sync};
use receivers::aws::{Aws, Config, scan_once};
use serde_json::{Value as Json, json};

use super::configuration::ConfigArguments;
use super::{BAD_CONFIGURATION, FAILED, print, print_error};

mod dot;
mod mermaid;
mod progress;
mod resources;
mod tree;

use progress::ProgressTerminal;
use resources::ScannedResources;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A pipeline file; scans the accounts and regions of its `aws` receivers.
    #[arg(long = "config", short = 'c', value_name = "FILE", conflicts_with_all = ["regions", "profile", "endpoint", "role_arn", "kinds"])]
    files: Vec<PathBuf>,
    /// A region, or `all`; may be repeated. By default the region of the environment.
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// A profile of the shared AWS configuration; only its credentials are used.
    #[arg(long)]
    profile: Option<String>,
    /// A role to assume.
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// The URL of an endpoint to use instead of AWS.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A kind to scan, such as `AWS::EC2::*`; may be repeated.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// `tree` by VPC, `json` with one resource per line, or a graph for Graphviz or Mermaid.
    #[arg(long, short, value_enum, default_value_t = ScanOutput::Tree)]
    output: ScanOutput,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ScanOutput {
    Tree,
    Json,
    Dot,
    Mermaid,
}

pub(super) fn run(arguments: &Arguments, registry: &Registry) -> ExitCode {
    let configs = match arguments.configs(registry) {
        Ok(configs) => configs,
        Err(exit) => return exit,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            print_error(&format!("cannot start the runtime threads: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let batches = Mutex::new(Vec::new());
    let terminal = ProgressTerminal::new(&batches);
    let mut failed = 0;
    for config in configs {
        match runtime.block_on(scan_once(config, &terminal)) {
            Ok(summary) => failed += summary.failed,
            Err(error) => {
                print_error(&format!("cannot scan: {}", ErrorChain(&error)));
                return ExitCode::from(FAILED);
            }
        }
    }
    terminal.end();
    let batches = sync::into_inner(batches);
    let printed = print(render(&batches, arguments.output).trim_end());
    if failed > 0 {
        let noun = if failed == 1 { "scope" } else { "scopes" };
        print_error(&format!(
            "{failed} {noun} could not be scanned: the state of their resources is unknown"
        ));
        return ExitCode::from(FAILED);
    }
    printed
}

impl Arguments {
    fn configs(&self, registry: &Registry) -> Result<Vec<Config>, ExitCode> {
        if self.files.is_empty() {
            let config: Result<Config, _> = serde_json::from_value(self.receiver_config());
            return config.map(|config| vec![config]).map_err(|error| {
                print_error(&error.to_string());
                ExitCode::from(BAD_CONFIGURATION)
            });
        }
        let topology = ConfigArguments::from_files(&self.files).topology(registry)?;
        let mut configs = Vec::new();
        for ((class, id), declared) in &topology.components {
            if *class == ComponentClass::Receiver
                && id.kind() == <Aws as pipeline::registry::ComponentMeta>::TYPE
            {
                // The topology check has decoded this configuration, so this does not fail.
                configs.extend(declared.config.decode().ok());
            }
        }
        if configs.is_empty() {
            print_error("the configuration has no `aws` receiver");
            return Err(ExitCode::from(BAD_CONFIGURATION));
        }
        Ok(configs)
    }

    /// The options as the configuration of an `aws` receiver.
    fn receiver_config(&self) -> Json {
        let mut config_json = json!({"regions": self.regions, "kinds": {"include": self.kinds}});
        if let Some(role) = &self.role_arn {
            config_json["accounts"] = json!([{"role_arn": role}]);
        }
        for (key, value) in [("profile", &self.profile), ("endpoint", &self.endpoint)] {
            if let Some(value) = value {
                config_json[key] = json!(value);
            }
        }
        config_json
    }
}

/// Renders the scanned resources.
fn render(batches: &[Batch], output: ScanOutput) -> String {
    match output {
        ScanOutput::Json => {
            let rows = batches.iter().flat_map(json_rows::to_json);
            let observed = rows.filter(|row| row["op"] == "observed");
            let lines: Vec<String> = observed.map(|row| Json::Object(row).to_string()).collect();
            lines.join("\n")
        }
        ScanOutput::Tree => tree::text(&ScannedResources::from_batches(batches)),
        ScanOutput::Dot => dot::text(&ScannedResources::from_batches(batches)),
        ScanOutput::Mermaid => mermaid::text(&ScannedResources::from_batches(batches)),
    }
}
