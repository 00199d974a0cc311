use super::*;

#[test]
fn a_boundary_never_occurs_in_the_recording() {
    let first = Boundary::not_in(b"a");
    let forged = [b"--".as_slice(), first.content_type().rsplit('=').next().unwrap().as_bytes()].concat();
    assert_ne!(Boundary::not_in(&forged).content_type(), first.content_type());
    assert_eq!(Boundary::not_in(b"a").content_type(), first.content_type());
}

#[test]
fn fields_of_a_list_are_read_in_their_order() {
    let field = |head: &str, content: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"a[]\"{head}\r\n\r\n{content}\r\n")
    };
    let file = "; filename=\"f\"";
    let body = field("", "1") + &field(file, "2") + &field("", "3") + &field(file, "4") + "--B--";
    let form = MultipartForm::read("multipart/form-data; boundary=B", body.as_bytes()).unwrap();
    assert_eq!(form.texts("a[]").collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(form.files("a[]").collect::<Vec<_>>(), [("f", &b"2"[..]), ("f", b"4")]);
    assert_eq!(
        (form.text("a[]"), form.file("a[]"), form.text("a")),
        (Some("1"), Some(("f", &b"2"[..])), None)
    );
}

#[test]
fn an_incomplete_form_is_rejected() {
    let read =
        |body: &str| MultipartForm::read("multipart/form-data; boundary=\"B\"", body.as_bytes()).map(drop);
    let field = |name: &str| format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n1");
    assert_eq!(read(&(field("a") + "\r\n" + &field("b") + "\r\n--B--")), Ok(()));
    assert_eq!(read(&field("a")), Err(InvalidForm::Boundary));
    assert_eq!(read(&(field("a") + "\r\n--Bx")), Err(InvalidForm::Boundary));
    assert_eq!(read(&(field("a") + "\r\n--B--\r\nmore")), Err(InvalidForm::Boundary));
    assert_eq!(read("x"), Err(InvalidForm::Boundary));
    assert_eq!(read("--B\r\nContent-Type: text/plain\r\n\r\n1\r\n--B--"), Err(InvalidForm::Name));
    let twice = |name| field(name) + "\r\n" + &field(name) + "\r\n--B--";
    assert_eq!(read(&twice("model")), Err(InvalidForm::Duplicate("model".to_owned())));
    assert_eq!(read(&twice("keywords")), Ok(()));
    for other in ["application/json", "multipart/form-data", "multipart/mixed; boundary=B", ""] {
        assert_eq!(MultipartForm::read(other, b""), Err(InvalidForm::ContentType(other.to_owned())));
    }
}
