use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn gather(pieces: &[Vec<u8>]) -> Body {
    let mut gather = BodyBuilder::default();
    for piece in pieces {
        gather.push(Bytes::copy_from_slice(piece));
    }
    gather.finish()
}

#[test]
fn small_pieces_are_joined() {
    let body = gather(&vec![vec![7]; 100_000]);
    assert_eq!(body.len(), 100_000);
    assert!(body.pieces.len() < 5);
}

#[test]
fn large_pieces_are_shared() {
    let large = Bytes::from(vec![1; 100_000]);
    let mut gather = BodyBuilder::default();
    gather.push(Bytes::from_static(b"small"));
    gather.push(large.clone());
    let body = gather.finish();
    let edited = body.edited(&[(2..3, Bytes::from_static(b"!"))]);
    assert_eq!(edited.last().map(|piece| piece.as_ptr()), Some(large.as_ptr()));
}

proptest! {
    #[test]
    fn edits_do_not_depend_on_the_chunks_of_the_body(
        pieces in vec(vec(any::<u8>(), 0..6000), 1..6),
        places in vec(any::<proptest::sample::Index>(), 4),
        new in vec(vec(any::<u8>(), 0..20), 2),
    ) {
        let whole = pieces.concat();
        let mut places: Vec<usize> = places.iter().map(|place| place.index(whole.len() + 1)).collect();
        places.sort_unstable();
        let [a, b, c, d] = places[..] else { unreachable!() };
        let body = gather(&pieces);
        let edits = [(a..b, new[0].clone().into()), (c..d, new[1].clone().into())];
        let expected = [&whole[..a], &new[0], &whole[b..c], &new[1], &whole[d..]].concat();
        prop_assert_eq!(body.edited(&edits).concat(), expected);
        prop_assert_eq!(body.copy(a..d), &whole[a..d]);
    }
}
