use std::path::PathBuf;

use super::super::report::PolicyReport;
use super::super::tally::Tally;
use super::*;

/// Returns the report of an empty log about a policy with hostile names.
fn hostile() -> Report {
    let policy = PolicyReport {
        source: "<script>alert(1)</script>".to_owned(),
        digest: "\"><img src=x>".to_owned(),
        settings: "{\"a\":\"</style>\"}".to_owned(),
    };
    let mut tally = Tally::new(u64::MAX);
    tally.errors = 1;
    tally.shown_errors.push((PathBuf::from("<b>.jsonl"), 7, "<i>".to_owned()));
    tally.not_replayable.sum("<u>".into()).add(1.0);
    Report::new(policy, &[], true, tally)
}

#[test]
fn the_page_escapes_everything_and_loads_nothing() {
    let page = render(&hostile());
    for markup in ["<script", "<img", "<b>", "<i>", "<u>", "http:", "https:", "url(", "@import"] {
        assert!(!page.contains(markup), "{markup} in {page}");
    }
    assert_eq!(page.matches("</style>").count(), 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("interrupted: the rest of the log is missing"));
    for tag in ["section", "table", "dl", "main", "div", "svg"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}
