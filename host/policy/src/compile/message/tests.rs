use super::*;

fn told(result: Result<Vec<u8>, LoadError>) -> Option<Result<Vec<u8>, LoadError>> {
    let (kind, mut rest) = encode(result);
    rest.insert(0, kind);
    decode(rest)
}

#[test]
fn code_and_errors_come_out_as_they_went_in() {
    assert_eq!(told(Ok(vec![1, 2, 3])).unwrap().unwrap(), [1, 2, 3]);
    for error in [
        LoadError::Precompiled,
        LoadError::NotWebAssembly("a".to_owned()),
        LoadError::NotEncodable("b".to_owned()),
        LoadError::TooComplex("c".to_owned()),
        LoadError::Compile("d".to_owned()),
    ] {
        let text = error.to_string();
        assert_eq!(told(Err(error)).unwrap().unwrap_err().to_string(), text);
    }
}

#[test]
fn what_makes_no_sense_is_no_answer() {
    for said in [&b""[..], b"?", b"c\xff"] {
        assert!(decode(said.to_vec()).is_none(), "{said:?}");
    }
}
