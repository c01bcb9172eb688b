use super::*;

#[test]
fn placeholder_table_of_yes_and_no() {}
