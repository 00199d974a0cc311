use proptest::prelude::*;

use super::*;

/// Name, file name and content of a part.
type Part = (String, Option<String>, Vec<u8>);

fn parse_in(chunks: impl Iterator<Item = impl AsRef<[u8]>>) -> Result<Vec<Part>, InvalidForm> {
    let mut scan = FormScan::new("x").unwrap();
    let mut parts: Vec<Part> = Vec::new();
    for chunk in chunks {
        scan.push(chunk.as_ref());
        while let Some(fragment) = scan.next_fragment()? {
            match fragment {
                FormFragment::Head(head) => parts.push((head.name, head.file_name, Vec::new())),
                FormFragment::Content(content) => parts.last_mut().unwrap().2.extend_from_slice(&content),
            }
        }
    }
    scan.finish()?;
    Ok(parts)
}

fn parse(body: &str) -> Result<Vec<Part>, InvalidForm> {
    parse_in(std::iter::once(body))
}

const FORM: &str = "preamble\r\n--x  \r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper\r\n--x\r\n\
    content-type: audio/mpeg\r\nCONTENT-DISPOSITION: form-data; filename=\"a;\\\"b.mp3\"; name=file\r\n\r\n\
    \r\n--y\r\n-\r\n\r\n--x\r\nContent-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--x--\r\nepilogue";

#[test]
fn parts_are_the_same_however_the_body_is_cut() {
    let whole = parse(FORM).unwrap();
    let part = |name: &str, file: Option<&str>, content: &str| {
        (name.to_owned(), file.map(str::to_owned), content.as_bytes().to_owned())
    };
    assert_eq!(
        whole,
        [
            part("model", None, "whisper"),
            part("file", Some("a;\"b.mp3"), "\r\n--y\r\n-\r\n"),
            part("empty", None, ""),
        ]
    );
    for size in 1..FORM.len() {
        assert_eq!(parse_in(FORM.as_bytes().chunks(size)).unwrap(), whole, "{size}");
    }
}

#[test]
fn headers_are_returned_as_they_arrived() {
    let mut scan = FormScan::new("x").unwrap();
    scan.push(b"--x\r\nX-New: 1\r\ncontent-disposition:form-data;name=a\r\n\r\n");
    let Some(FormFragment::Head(head)) = scan.next_fragment().unwrap() else { panic!() };
    assert_eq!(head.headers, "X-New: 1\r\ncontent-disposition:form-data;name=a\r\n");
}

#[test]
fn content_is_held_back_only_as_far_as_it_may_be_a_boundary() {
    let mut scan = FormScan::new("x").unwrap();
    scan.push(b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n");
    assert!(matches!(scan.next_fragment(), Ok(Some(FormFragment::Head(_)))));
    scan.push(&[b'a'; 100_000]);
    let Some(FormFragment::Content(content)) = scan.next_fragment().unwrap() else { panic!() };
    assert_eq!(content.len(), 100_000 - "\r\n--".len());
    assert_eq!(scan.next_fragment(), Ok(None));
}

#[test]
fn what_is_no_form_is_rejected() {
    let head = "Content-Disposition: form-data; name=a\r\n\r\n";
    assert_eq!(parse("{}"), Err(InvalidForm::Incomplete));
    assert_eq!(parse(&format!("--x\r\n{head}1")), Err(InvalidForm::Incomplete));
    assert_eq!(parse(&format!("--x\r\n{head}1\r\n--x")), Err(InvalidForm::Incomplete));
    assert_eq!(parse("--xy\r\n"), Err(InvalidForm::Boundary));
    assert_eq!(parse(&format!("--x{}", " ".repeat(65))), Err(InvalidForm::Boundary));
    assert_eq!(parse("--x\r\n\r\n1\r\n--x--"), Err(InvalidForm::Name(1)));
    assert_eq!(parse("--x\r\nContent-Disposition: attachment; name=a\r\n\r\n"), Err(InvalidForm::Name(1)));
    assert_eq!(parse(&format!("--x\r\n{}", "a".repeat(20_000))), Err(InvalidForm::LongHead(1)));
    let many = format!("--x\r\n{head}\r\n").repeat(257);
    assert_eq!(parse(&many), Err(InvalidForm::ManyParts));
}

#[test]
fn the_boundary_is_read_from_the_media_type() {
    let boundary = |media_type| boundary_of(media_type);
    assert_eq!(boundary("multipart/form-data; boundary=a-b").as_deref(), Some("a-b"));
    assert_eq!(boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a;b\"").as_deref(), Some("a;b"));
    assert_eq!(boundary("multipart/mixed; boundary=a"), None);
    assert_eq!(boundary("multipart/form-data"), None);
    assert_eq!(boundary("multipart/form-data; a=b"), None);
}

proptest! {
    #[test]
    fn any_bytes_give_parts_or_an_error(pieces in prop::collection::vec(
        prop_oneof![
            Just("--x\r\n".to_owned()),
            Just("\r\n--x--".to_owned()),
            Just("Content-Disposition: form-data; name=\"a\"; filename=\"".to_owned()),
            Just("\r\n\r\n".to_owned()),
            ".{0,8}",
        ],
        0..20,
    )) {
        let whole = parse(&pieces.concat());
        prop_assert_eq!(parse_in(pieces.iter()), whole);
    }
}
