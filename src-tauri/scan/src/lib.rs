//! Looking through lines of JSON fast: where each begins, and what its texts contain.
