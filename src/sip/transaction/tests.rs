//! Tests of the transaction machines.
