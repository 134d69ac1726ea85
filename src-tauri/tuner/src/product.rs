//! Matrix products over the `gemm` crate, behind a checked interface.
//!
//! `gemm::gemm` takes raw pointers and strides and trusts them. This is the only module that may
//! call it: every view carries its shape, and a view that would reach outside its slice cannot be
//! made. The kernel (AVX-512, AVX2, …) is picked at run time by `gemm`.

use gemm::Parallelism;

/// A matrix of `rows` × `cols` somewhere inside a slice.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    values: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> View<'a> {
    /// Consecutive rows of `cols` numbers, `stride` apart.
    ///
    /// # Panics
    /// If the matrix reaches outside `values`.
    pub fn strided(values: &'a [f32], rows: usize, cols: usize, stride: usize) -> View<'a> {
        check_extent(values.len(), rows, cols, stride);
        View { values, rows, cols, row_stride: stride, col_stride: 1 }
    }

    /// Rows that follow one another without a gap.
    ///
    /// # Panics
    /// If the matrix reaches outside `values`.
    pub fn packed(values: &'a [f32], rows: usize, cols: usize) -> View<'a> {
        View::strided(values, rows, cols, cols)
    }

    /// The same numbers with rows and columns exchanged; nothing is moved.
    pub fn transposed(self) -> View<'a> {
        View {
            values: self.values,
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
        }
    }
}

/// A matrix that is written: rows of `cols` numbers, `stride` apart.
pub(crate) struct ViewMut<'a> {
    values: &'a mut [f32],
    rows: usize,
    cols: usize,
    stride: usize,
}

impl<'a> ViewMut<'a> {
    /// Consecutive rows of `cols` numbers, `stride` apart.
    ///
    /// # Panics
    /// If the matrix reaches outside `values`, or its rows overlap.
    pub fn strided(values: &'a mut [f32], rows: usize, cols: usize, stride: usize) -> ViewMut<'a> {
        assert!(rows <= 1 || stride >= cols, "rows of a result overlap");
        check_extent(values.len(), rows, cols, stride);
        ViewMut { values, rows, cols, stride }
    }

    /// Rows that follow one another without a gap.
    ///
    /// # Panics
    /// If the matrix reaches outside `values`.
    pub fn packed(values: &'a mut [f32], rows: usize, cols: usize) -> ViewMut<'a> {
        ViewMut::strided(values, rows, cols, cols)
    }
}

/// What happens to the numbers already in the result.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Into {
    /// They are replaced.
    Replace,
    /// The product is added to them.
    Add,
}

/// `out = scale · left · right`, or `out += scale · left · right`, on up to `threads` threads.
///
/// # Panics
/// If the shapes do not fit together.
pub(crate) fn multiply(mut out: ViewMut<'_>, into: Into, scale: f32, left: View<'_>, right: View<'_>, threads: usize) {
    assert_eq!(left.cols, right.rows, "inner sizes of a product differ");
    assert_eq!(out.rows, left.rows, "rows of a product differ");
    assert_eq!(out.cols, right.cols, "columns of a product differ");
    if out.rows == 0 || out.cols == 0 {
        return;
    }
    let parallelism = if threads > 1 { Parallelism::Rayon(threads) } else { Parallelism::None };
    run(&mut out, into, scale, left, right, parallelism);
}

#[expect(unsafe_code, reason = "gemm works on raw pointers; the views guarantee that every index is inside its slice")]
fn run(out: &mut ViewMut<'_>, into: Into, scale: f32, left: View<'_>, right: View<'_>, parallelism: Parallelism) {
    let stride = |stride: usize| stride as isize;
    // SAFETY: a view is only made after `check_extent`, so `index = row · row_stride + col · col_stride`
    // stays inside its slice for every row and column; `multiply` has compared the shapes; `out` is an
    // exclusive borrow whose rows do not overlap, so it aliases neither input nor itself.
    unsafe {
        gemm::gemm(
            out.rows,
            out.cols,
            left.cols,
            out.values.as_mut_ptr(),
            1,
            stride(out.stride),
            into == Into::Add,
            left.values.as_ptr(),
            stride(left.col_stride),
            stride(left.row_stride),
            right.values.as_ptr(),
            stride(right.col_stride),
            stride(right.row_stride),
            1.0_f32,
            scale,
            false,
            false,
            false,
            parallelism,
        );
    }
}

fn check_extent(length: usize, rows: usize, cols: usize, stride: usize) {
    if rows == 0 || cols == 0 {
        return;
    }
    let last = (rows - 1).checked_mul(stride).and_then(|start| start.checked_add(cols - 1));
    assert!(
        last.is_some_and(|last| last < length),
        "a {rows} × {cols} matrix with stride {stride} does not fit in {length} numbers"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_with_strides_and_transposes_is_the_plain_sum() {
        let left: Vec<f32> = (0..24).map(|i| i as f32 * 0.5 - 3.0).collect();
        let right: Vec<f32> = (0..35).map(|i| (i as f32).sin()).collect();
        // Left: 3 rows of 4 in rows of 6. Right: 5 × 4 in rows of 7, used transposed.
        let mut out = vec![1.0_f32; 3 * 8];
        multiply(
            ViewMut::strided(&mut out, 3, 5, 8),
            Into::Add,
            2.0,
            View::strided(&left, 3, 4, 6),
            View::strided(&right, 5, 4, 7).transposed(),
            1,
        );
        for row in 0..3 {
            for col in 0..8 {
                let expected = if col < 5 {
                    1.0 + 2.0 * (0..4).map(|i| left[row * 6 + i] * right[col * 7 + i]).sum::<f32>()
                } else {
                    1.0
                };
                assert!((out[row * 8 + col] - expected).abs() < 1e-4);
            }
        }
    }

    #[test]
    #[should_panic(expected = "does not fit")]
    fn a_view_outside_its_slice_cannot_be_made() {
        let values = [0.0_f32; 10];
        let _ = View::strided(&values, 3, 4, 4);
    }

    #[test]
    #[should_panic(expected = "inner sizes")]
    fn shapes_that_do_not_fit_are_refused() {
        let (left, right) = ([0.0_f32; 6], [0.0_f32; 6]);
        let mut out = [0.0_f32; 4];
        multiply(
            ViewMut::packed(&mut out, 2, 2),
            Into::Replace,
            1.0,
            View::packed(&left, 2, 3),
            View::packed(&right, 2, 3).transposed().transposed(),
            1,
        );
    }
}
