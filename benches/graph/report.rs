//! Formats the figures as a Markdown table and as one line of JSON.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::arguments::Arguments;
use crate::figure::Figure;

#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Report {
    nodes: usize,
    edges: usize,
    aged: bool,
    figures: Vec<Figure>,
    #[serde(skip)]
    only: Option<String>,
}

impl Report {
    pub(crate) fn new(arguments: &Arguments) -> Report {
        Report {
            nodes: arguments.nodes,
            edges: arguments.edges(),
            aged: arguments.aged,
            figures: Vec::new(),
            only: arguments.only.clone(),
        }
    }

    /// Whether `--only` selects the figure, or a figure of the group with this name.
    pub(crate) fn wants(&self, name: &str) -> bool {
        let only = self.only.as_deref();
        only.is_none_or(|only| name.contains(only) || only.starts_with(name))
    }

    pub(crate) fn add(&mut self, figures: impl IntoIterator<Item = Figure>) {
        self.figures.extend(figures);
    }

    fn size(&self) -> String {
        let past = if self.aged { "aged" } else { "fresh" };
        format!("{} nodes, {} edges, {past}", self.nodes, self.edges)
    }

    pub(crate) fn table(&self, before: Option<&Report>) -> String {
        let mut table = format!("| {} | cache | unit | samples | items |", self.size());
        let mut rule = "|---|---|---|--:|--:|--:|--:|".to_owned();
        table += " p50 | p99 |";
        if let Some(before) = before {
            table += &format!(
                " {}: items | p50 | p99 | ratio p50 | ratio p99 |",
                before.size()
            );
            rule += "--:|--:|--:|--:|--:|";
        }
        table += &format!("\n{rule}\n");
        for figure in &self.figures {
            table += &figure.row();
            if let Some(before) = before {
                table += &before.beside(figure);
            }
            table.push('\n');
        }
        table
    }

    /// The cells of the same figure in this earlier report, and the ratios.
    fn beside(&self, figure: &Figure) -> String {
        let same = |other: &&Figure| other.name == figure.name && other.cache == figure.cache;
        let cells = self.figures.iter().find(same).map_or_else(
            || "– | – | – | – | –".to_owned(),
            |other| {
                let (items, cells) = (other.items, other.cells());
                format!("{items} | {cells} | {}", figure.ratio(other))
            },
        );
        format!(" {cells} |")
    }

    pub(crate) fn json(&self) -> String {
        serde_json::to_string(self).expect("figures are numbers and texts")
    }
}

/// Reads the output of an earlier run, or only its line of JSON.
pub(crate) fn read(file: &Path) -> Report {
    let text = std::fs::read_to_string(file).expect("the file to compare with can be read");
    let line = text.lines().rfind(|line| line.starts_with('{'));
    let line = line.expect("the file to compare with has a line of JSON");
    serde_json::from_str(line).expect("the line of JSON is what this benchmark printed")
}
