//! `airdig scan`: looks at AWS accounts once and shows what is there.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use pipeline::component::Chain;
use pipeline::registry::{Class, Registry};
use pipeline::{Batch, json_rows};
use receivers::aws::{Aws, Config, scan_once};
use serde_json::{Value as Json, json};

use super::configuration::Arguments as Files;
use super::{BAD_CONFIGURATION, FAILED, complain, print};

mod dot;
mod mermaid;
mod progress;
mod things;
mod tree;

use progress::Terminal;
use things::Things;

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// A pipeline file: what its receivers `aws` name is scanned.
    #[arg(long = "config", short = 'c', value_name = "FILE", conflicts_with_all = ["regions", "profile", "endpoint", "role_arn", "kinds"])]
    files: Vec<PathBuf>,
    /// A region, several times for several, or `all`; that of the environment by default.
    #[arg(long = "region", value_name = "REGION")]
    regions: Vec<String>,
    /// A profile of the shared configuration, whose credentials alone are taken.
    #[arg(long)]
    profile: Option<String>,
    /// A role to assume.
    #[arg(long, value_name = "ARN")]
    role_arn: Option<String>,
    /// Who answers in AWS's place.
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// A kind, several times for several: `AWS::EC2::*`.
    #[arg(long = "kind", value_name = "KIND")]
    kinds: Vec<String>,
    /// `tree` by VPC, `json` with a resource a line, or a graph for Graphviz or Mermaid.
    #[arg(long, short, value_enum, default_value_t = Output::Tree)]
    output: Output,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
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
            complain(&format!("cannot start threads: {error}"));
            return ExitCode::from(FAILED);
        }
    };
    let batches = Mutex::new(Vec::new());
    let terminal = Terminal::new(&batches);
    let mut failed = 0;
    for config in configs {
        match runtime.block_on(scan_once(config, &terminal)) {
            Ok(summary) => failed += summary.failed,
            Err(error) => {
                complain(&format!("cannot scan: {}", Chain(&error)));
                return ExitCode::from(FAILED);
            }
        }
    }
    terminal.end();
    let batches = batches.into_inner().unwrap_or_default();
    let printed = print(shown(&batches, arguments.output).trim_end());
    if failed > 0 {
        let noun = if failed == 1 { "scope" } else { "scopes" };
        complain(&format!(
            "{failed} {noun} could not be scanned: what is in them is unknown"
        ));
        return ExitCode::from(FAILED);
    }
    printed
}

impl Arguments {
    fn configs(&self, registry: &Registry) -> Result<Vec<Config>, ExitCode> {
        if self.files.is_empty() {
            let config: Result<Config, _> = serde_json::from_value(self.document());
            return config.map(|config| vec![config]).map_err(|error| {
                complain(&error.to_string());
                ExitCode::from(BAD_CONFIGURATION)
            });
        }
        let topology = Files::of(&self.files).topology(registry)?;
        let mut configs = Vec::new();
        for ((class, id), declared) in &topology.components {
            if *class == Class::Receiver
                && id.kind() == <Aws as pipeline::registry::Described>::TYPE
            {
                // The topology has checked it.
                configs.extend(declared.config.decode().ok());
            }
        }
        if configs.is_empty() {
            complain("there is no receiver `aws` in the configuration");
            return Err(ExitCode::from(BAD_CONFIGURATION));
        }
        Ok(configs)
    }

    /// The options as the receiver's YAML.
    fn document(&self) -> Json {
        let mut document = json!({"regions": self.regions, "kinds": {"include": self.kinds}});
        if let Some(role) = &self.role_arn {
            document["accounts"] = json!([{"role_arn": role}]);
        }
        for (key, value) in [("profile", &self.profile), ("endpoint", &self.endpoint)] {
            if let Some(value) = value {
                document[key] = json!(value);
            }
        }
        document
    }
}

fn shown(batches: &[Batch], output: Output) -> String {
    match output {
        Output::Json => {
            let rows = batches.iter().flat_map(json_rows::to_json);
            let observed = rows.filter(|row| row["op"] == "observed");
            let lines: Vec<String> = observed.map(|row| Json::Object(row).to_string()).collect();
            lines.join("\n")
        }
        Output::Tree => tree::text(&Things::of(batches)),
        Output::Dot => dot::text(&Things::of(batches)),
        Output::Mermaid => mermaid::text(&Things::of(batches)),
    }
}
