//! `pointsman schema`

use super::{Failure, print};
use crate::config::schema_json;

pub(super) fn run() -> Result<(), Failure> {
    print(schema_json().trim_end())
}
