//! Parse, build, run, exit code.

fn main() -> std::process::ExitCode {
    nightbell::cli::main()
}
