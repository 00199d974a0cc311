//! Escaped text and tables.

/// Replaces the characters that have a meaning in HTML, in text and in quoted attributes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Controls and characters that change the direction of text.
            character if !pointsman_domain::text::is_printable(character) => {
                escaped.push(char::REPLACEMENT_CHARACTER)
            }
            character => escaped.push(character),
        }
    }
    escaped
}

/// Renders a table, which scrolls where it is too wide; nothing without rows.
pub(super) fn table(titles: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let cells = |tag: &str, texts: &mut dyn Iterator<Item = &str>| -> String {
        texts.map(|text| format!("<{tag}>{}</{tag}>", escape(text))).collect()
    };
    let rows: String = rows
        .into_iter()
        .map(|row| format!("<tr>{}</tr>\n", cells("td", &mut row.iter().map(String::as_str))))
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let head = cells("th", &mut titles.iter().copied());
    format!(
        "<div class=\"scroll\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        assert_eq!(
            escape("<a href=\"x\" b='y'>&\u{202e}"),
            "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\u{fffd}"
        );
        let table = table(&["<b>"], [vec!["<script>".to_owned()]]);
        assert!(table.contains("<th>&lt;b&gt;</th>") && table.contains("<td>&lt;script&gt;</td>"), "{table}");
        assert_eq!(super::table(&["a"], []), "");
    }
}
