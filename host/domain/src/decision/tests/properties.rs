//! Arbitrary proposals: an accepted decision follows every rule, and a rejected one has a printable
//! message.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Text with characters that reverse or hide other text.
const HIDDEN: &str =
    "[a-z \u{200b}-\u{200f}\u{2028}-\u{202e}\u{2060}-\u{2069}\u{feff}\u{ad}\u{e0041}]{0,170}";

fn proposals() -> impl Strategy<Value = Proposal> {
    let index = prop_oneof![0_usize..6, any::<usize>()];
    let time = || option::of(any::<u32>().prop_map(|ms| Duration::from_millis(ms.into())));
    let target = (index, time()).prop_map(|(candidate, timeout)| Target { candidate, timeout });
    let text = || prop_oneof!["[a-z0-9._:/-]{0,70}", any::<String>(), ".{0,600}", HIDDEN];
    (vec(target, 0..8), text(), option::of(text()), time(), option::of(any::<f64>())).prop_map(
        |(targets, label, reason, hedge_after, propensity)| Proposal {
            targets,
            label,
            reason,
            hedge_after,
            propensity,
        },
    )
}

proptest! {
    #[test]
    fn an_accepted_decision_follows_every_rule(proposal in proposals(), candidates in 0_usize..6) {
        match proposal.validate(candidates) {
            Ok(decision) => {
                let mut chosen: Vec<usize> = decision.targets().iter().map(|it| it.candidate).collect();
                prop_assert!(!chosen.is_empty() && chosen.iter().all(|&it| it < candidates));
                chosen.sort_unstable();
                prop_assert!(chosen.windows(2).all(|pair| pair[0] != pair[1]));
                prop_assert!(decision.targets().iter().all(|it| it.timeout != Some(Duration::ZERO)));
                prop_assert!((1..=MAX_LABEL).contains(&decision.label().len()));
                prop_assert!(decision.label().bytes().all(|byte| byte.is_ascii_graphic()));
                if let Some(reason) = decision.reason() {
                    prop_assert!(reason.len() <= 3 * MAX_REASON && reason.chars().all(is_printable));
                }
                if let Some(propensity) = decision.propensity() {
                    prop_assert!(propensity.is_finite() && propensity > 0.0 && propensity <= 1.0);
                }
            }
            Err(invalid) => {
                let message = invalid.to_string();
                prop_assert!(message.len() < 2_000 && message.chars().all(is_printable), "{}", message);
            }
        }
    }

    #[test]
    fn a_refusal_that_is_accepted_can_be_shown(text in prop_oneof![any::<String>(), ".{0,600}", HIDDEN]) {
        if let Ok(Refusal::Denied(text)) = Refusal::Denied(text).validate() {
            prop_assert!(text.len() <= 3 * MAX_REASON && text.chars().all(is_printable));
        }
    }
}
