use super::*;

fn round_trip(result: Result<Vec<u8>, LoadError>) -> Option<Result<Vec<u8>, LoadError>> {
    let (kind, mut output) = encode(result);
    output.insert(0, kind);
    decode(output)
}

#[test]
fn code_and_errors_survive_a_round_trip() {
    assert_eq!(round_trip(Ok(vec![1, 2, 3])).unwrap().unwrap(), [1, 2, 3]);
    for error in [
        LoadError::Precompiled,
        LoadError::NotWebAssembly("a".to_owned()),
        LoadError::NotEncodable("b".to_owned()),
        LoadError::TooComplex("c".to_owned()),
        LoadError::Compile("d".to_owned()),
    ] {
        let text = error.to_string();
        assert_eq!(round_trip(Err(error)).unwrap().unwrap_err().to_string(), text);
    }
}

#[test]
fn malformed_output_is_no_result() {
    for output in [&b""[..], b"?", b"c\xff"] {
        assert!(decode(output.to_vec()).is_none(), "{output:?}");
    }
}
