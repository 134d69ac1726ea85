//! Only so that what the programs lean on is compiled before the first of them is written beside this.

fn main() {}
