//! Entries of `model_list` with a `*`.

use pointsman_config::catalogue;

use super::deployment::Deployment;
use crate::report::{Place, Report};

/// Returns a deployment of each model that a wildcard stands for. One whose model is a single one is a
/// pattern of names, and stays as it is.
pub(super) fn expand(deployment: Deployment, model_place: &Place, report: &mut Report) -> Vec<Deployment> {
    let stars = |text: &str| text.matches('*').count();
    let (in_name, in_model) = (stars(&deployment.name), stars(&deployment.upstream));
    if in_model == 0 {
        return vec![deployment];
    }
    let advice = "list the models as `[models.\"BACKEND/NAME\"]`; clients request them by that name";
    let section = deployment.provider.section;
    if in_model != 1 || in_name != 1 || section.is_empty() {
        report.no_counterpart(model_place, "the models that this stands for are not known", advice);
        return Vec::new();
    }
    let mut expanded = Vec::new();
    for id in catalogue::ids(section) {
        let Some((_, model)) = id.split_once('/') else { continue };
        if catalogue::lookup(id).is_none_or(|facts| facts.price.is_none() && facts.unit.is_none()) {
            continue;
        }
        let Some(part) = matched(&deployment.upstream, model) else { continue };
        let name = deployment.name.replace('*', part);
        let single = Deployment { name, upstream: model.to_owned(), ..deployment.clone() };
        if single.is_offered() {
            expanded.push(single);
        }
    }
    report.different(
        model_place,
        format!(
            "it stands for the {} models that the catalogue has with prices of this provider",
            expanded.len()
        ),
        format!("remove those that are not needed; for others, {advice}"),
    );
    expanded
}

/// Returns the part of a text that the `*` of a pattern stands for.
fn matched<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let (start, end) = pattern.split_once('*')?;
    text.strip_prefix(start)?.strip_suffix(end)
}
