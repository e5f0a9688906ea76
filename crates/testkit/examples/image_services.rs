//! The picture services for clients of other languages: prints its address and serves until its input ends.

#![expect(clippy::print_stdout, reason = "the caller waits for the address")]

use std::io::Read as _;

use testkit::{ImageServices, images::Scene};

fn main() -> std::io::Result<()> {
    let services = ImageServices::start(Vec::<Scene>::new())?;
    println!("{}", services.url());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
