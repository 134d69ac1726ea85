//! The parts of the network that are not matrix products: each has its forward and, where training
//! needs it, its backward beside it. All work on rows of `f32` in plain slices and hold no state.

pub(crate) mod attention;
pub(crate) mod cross_entropy;
pub(crate) mod exponential;
pub(crate) mod lanes;
pub(crate) mod norm;
pub(crate) mod rope;
pub(crate) mod swiglu;
