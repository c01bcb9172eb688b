//! Many calls over a bad network, from seeds.
