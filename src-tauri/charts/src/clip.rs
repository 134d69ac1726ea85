//! Cuts lines at the edges of the plot, as a clip path would: the window lets no reference into a picture.

use crate::canvas::Place;

/// The plot in pixels: left, top, right, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Edges {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Edges {
    pub fn holds(&self, (x, y): Place) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// The parts of a line that lie inside, in order.
pub(crate) fn clipped(line: impl IntoIterator<Item = Place>, edges: Edges) -> Vec<Vec<Place>> {
    let mut parts: Vec<Vec<Place>> = Vec::new();
    let mut open = false;
    let mut before = None;
    for place in line {
        if let Some(from) = before {
            match segment(from, place, edges) {
                None => open = false,
                Some((start, end)) => {
                    match parts.last_mut().filter(|_| open) {
                        Some(part) => part.push(end),
                        None => parts.push(vec![start, end]),
                    }
                    open = end == place;
                }
            }
        }
        before = Some(place);
    }
    parts
}

/// Liang and Barsky's: the share of the way at which the segment enters, and at which it leaves.
fn segment(from: Place, to: Place, edges: Edges) -> Option<(Place, Place)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let sides = [
        (-dx, from.0 - edges.left),
        (dx, edges.right - from.0),
        (-dy, from.1 - edges.top),
        (dy, edges.bottom - from.1),
    ];
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    for (way, room) in sides {
        if way == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if way < 0.0 {
            enters = enters.max(room / way);
        } else {
            leaves = leaves.min(room / way);
        }
    }
    if enters > leaves {
        return None;
    }
    let along = |share: f64| (dx.mul_add(share, from.0), dy.mul_add(share, from.1));
    let start = if enters == 0.0 { from } else { along(enters) };
    let end = if leaves == 1.0 { to } else { along(leaves) };
    Some((start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLOT: Edges = Edges { left: 0.0, top: 0.0, right: 10.0, bottom: 10.0 };

    #[test]
    fn a_line_inside_stays_whole() {
        let line = vec![(0.0, 0.0), (5.0, 5.0), (10.0, 2.0)];
        assert_eq!(clipped(line.clone(), PLOT), [line]);
    }

    #[test]
    fn a_line_is_cut_at_both_sides_and_goes_on_where_it_comes_back() {
        let line = [(-5.0, 5.0), (5.0, 5.0), (5.0, -5.0), (7.0, -5.0), (7.0, 5.0), (15.0, 5.0)];
        let parts = [vec![(0.0, 5.0), (5.0, 5.0), (5.0, 0.0)], vec![(7.0, 0.0), (7.0, 5.0), (10.0, 5.0)]];
        assert_eq!(clipped(line, PLOT), parts);
    }

    #[test]
    fn a_line_that_only_passes_by_leaves_nothing() {
        assert!(clipped([(-5.0, 5.0), (-1.0, 20.0), (4.0, 30.0)], PLOT).is_empty());
    }
}
