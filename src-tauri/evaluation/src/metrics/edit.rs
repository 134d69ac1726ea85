//! Edit distance in characters.

/// One minus the distance over the longer length; 1 for two empty texts.
pub(super) fn similarity(reference: &str, prediction: &str) -> f64 {
    let (one, other): (Vec<char>, Vec<char>) = (reference.chars().collect(), prediction.chars().collect());
    let longer = one.len().max(other.len());
    if longer == 0 {
        return 1.0;
    }
    1.0 - distance(&one, &other) as f64 / longer as f64
}

/// Insertions, deletions and replacements, a row of the table at a time.
fn distance(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.iter().enumerate() {
        let mut corner = row[0];
        row[0] = line + 1;
        for (column, candidate) in other.iter().enumerate() {
            let above = row[column + 1];
            let replaced = corner + usize::from(letter != candidate);
            row[column + 1] = replaced.min(above + 1).min(row[column] + 1);
            corner = above;
        }
    }
    row[other.len()]
}
