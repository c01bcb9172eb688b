//! Measures as text, in the format that Prometheus reads (text exposition format 0.0.4).

use std::fmt::Write as _;

/// Whether a measure only grows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// It only grows, from the start of the process.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// One number with its name.
#[derive(Clone, PartialEq, Debug)]
pub struct Measure {
    /// The name with its unit, such as `nightbell_calls_active`.
    pub name: &'static str,
    /// What it says, in a line.
    pub help: &'static str,
    /// Whether it only grows.
    pub kind: Kind,
    /// The number.
    pub value: f64,
}

/// `measures` as text.
pub fn text(measures: &[Measure]) -> String {
    let mut text = String::new();
    for Measure { name, help, kind, value } in measures {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_measure_has_its_help_its_type_and_its_number() {
        let measure = Measure { name: "nightbell_calls_active", help: "Calls in progress.", kind: Kind::Gauge, value: 2.0 };
        let expected = "# HELP nightbell_calls_active Calls in progress.\n# TYPE nightbell_calls_active gauge\nnightbell_calls_active 2\n";
        assert_eq!(text(&[measure]), expected);
    }
}
