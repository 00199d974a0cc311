//! Configurations of LiteLLM's proxy.
//!
//! [`section`] reads mappings and reports keys that nobody has read. [`deployment`] reads the entries
//! of `model_list`, [`settings`] everything else; [`fleet`] derives backends and models from the
//! deployments, and [`routing`] routes and policies; [`render`] writes the result.

mod deployment;
mod fleet;
mod hints;
mod provider;
mod render;
mod routing;
mod section;
mod settings;
mod wildcard;

use crate::report::{Place, Report};
use crate::yaml::Node;
use crate::{Import, InvalidYaml};
use deployment::{Credentials, Deployment};
use fleet::Fleet;
use section::Section;
use settings::Settings;

/// Imports a configuration of LiteLLM's proxy. `file` is its name in comments.
pub fn import(file: &str, text: &str) -> Result<Import, InvalidYaml> {
    let root = Node::parse(text)?;
    let mut report = Report::default();
    let place = Place { path: String::new(), line: root.line };
    let mut section = Section::new(&root, place, &mut report);
    let credentials = Credentials::read(&mut section, &mut report);
    let deployments = deployments(&mut section, &credentials, &mut report);
    let settings = Settings::read(&mut section, &mut report);
    section.finish(&hints::TOP, &mut report);

    let fleet = Fleet::new(&deployments, &settings, &mut report);
    let routing = routing::plan(&deployments, &settings, &fleet, &mut report);
    let toml = render::toml(file, &settings, &fleet, &routing);
    Ok(Import {
        toml,
        models: fleet.models.len(),
        routes: routing.routes.len(),
        findings: report.into_findings(),
    })
}

fn deployments(root: &mut Section<'_>, credentials: &Credentials, report: &mut Report) -> Vec<Deployment> {
    let Some((node, place)) = root.take("model_list") else { return Vec::new() };
    let Some(elements) = node.elements() else {
        if node.entries().is_some() || node.text().is_some() {
            report.no_counterpart(
                &place,
                "it is not a list",
                "list models with `model_name` and `litellm_params`",
            );
        }
        return Vec::new();
    };
    let elements = elements.iter().enumerate();
    let read = elements.flat_map(|(index, node)| {
        Deployment::read(node, place.element(index, node.line), credentials, report)
    });
    read.collect()
}

#[cfg(test)]
mod tests;
