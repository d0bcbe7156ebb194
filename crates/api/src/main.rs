//! The binary `orderstream`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Before anything makes a TLS client: the process has one provider, chosen here.
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        eprintln!("orderstream: a cryptography provider was installed before the program began");
        return ExitCode::FAILURE;
    }
    orderstream::cli::run()
}
