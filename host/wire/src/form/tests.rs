use bytes::Bytes;

use super::*;
use crate::openai::provider::MultipartForm;

fn part(name: &str, file_name: Option<&str>, content: &'static str) -> FormPart {
    let file = file_name.map_or_else(String::new, |name| format!("; filename=\"{name}\""));
    let head = PartHead {
        name: name.to_owned(),
        file_name: file_name.map(str::to_owned),
        headers: format!("Content-Disposition: form-data; name=\"{name}\"{file}\r\n").into(),
    };
    FormPart { head, content: vec![BodyPiece::Bytes(Bytes::from_static(content.as_bytes()))] }
}

fn form(parts: impl IntoIterator<Item = FormPart>) -> UploadedForm {
    let mut form = UploadedForm::new("limit".to_owned()).unwrap();
    parts.into_iter().for_each(|part| form.push(part));
    form
}

#[test]
fn only_the_models_name_changes() {
    let form = form([
        part("file", Some("a.mp3"), "recording"),
        part("model", None, "client's"),
        part("language", None, "de"),
        part("timestamp_granularities[]", None, "word"),
    ]);
    let body = form.body_for("whisper\r\n--limit").to_bytes().unwrap();
    assert_eq!(
        body,
        concat!(
            "--limit\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\nrecording\r\n",
            "--limit\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper--limit\r\n",
            "--limit\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nde\r\n",
            "--limit\r\nContent-Disposition: form-data; name=\"timestamp_granularities[]\"\r\n\r\nword\r\n",
            "--limit--\r\n",
        )
    );
    let parsed = MultipartForm::read(form.content_type(), &body).unwrap();
    assert_eq!(parsed.file("file"), Some(("a.mp3", &b"recording"[..])));
}

#[test]
fn a_part_with_a_file_name_is_a_file() {
    let form = form([part("image", Some("a.png"), "1"), part("image", None, "text"), part("n", None, "2")]);
    assert_eq!(form.text("image").as_deref(), Some("text"));
    assert_eq!(form.text("absent"), None);
    assert_eq!(
        form.files().map(|file| (file.head.name.as_str(), file.size())).collect::<Vec<_>>(),
        [("image", 1)]
    );
}

#[test]
fn a_boundary_that_no_header_can_carry_is_rejected() {
    for boundary in ["", "a\"b", "a\r\nb", "a ", &"x".repeat(71)] {
        assert_eq!(UploadedForm::new(boundary.to_owned()).unwrap_err(), InvalidBoundary, "{boundary:?}");
    }
    let form = UploadedForm::new("a b:c".to_owned()).unwrap();
    assert_eq!(form.content_type(), "multipart/form-data; boundary=\"a b:c\"");
}
