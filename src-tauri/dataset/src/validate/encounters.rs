//! Records whose context was met before, told from hashes alone.

use std::thread;

/// A record beside the first with the same context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meeting {
    pub position: u32,
    pub first: u32,
}

/// Every meeting, in the order of the records. A context of 0 is none and meets nobody.
///
/// Contexts are shared out by their hashes, so that each thread has a table of its own that is half as large and
/// twice as often in the cache. Within a thread the records keep their order, so the first is the first.
pub(super) fn meetings(contexts: &[u64], threads: usize) -> Vec<Meeting> {
    let shares = threads.clamp(1, 16) as u64;
    let mut all: Vec<Meeting> = thread::scope(|scope| {
        let share = |share| move || meetings_of(contexts, share, shares);
        let others: Vec<_> = (1..shares).map(|number| scope.spawn(share(number))).collect();
        let mut all = share(0)();
        for other in others {
            match other.join() {
                Ok(found) => all.extend(found),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|meeting| meeting.position);
    all
}

fn meetings_of(contexts: &[u64], share: u64, shares: u64) -> Vec<Meeting> {
    const FREE: u32 = u32::MAX;
    // The high bits tell the share, the low ones the place in its table.
    let mine = |context: u64| ((context >> 32) * shares) >> 32 == share && context != 0;
    let count = contexts.iter().filter(|context| mine(**context)).count();
    let mut table = vec![FREE; (count * 2).next_power_of_two().max(16)];
    let mask = table.len() - 1;
    let mut found = Vec::new();
    for (position, &context) in contexts.iter().enumerate() {
        if !mine(context) {
            continue;
        }
        let mut place = context as usize & mask;
        loop {
            let first = table[place];
            if first == FREE {
                table[place] = position as u32;
                break;
            }
            if contexts[first as usize] == context {
                found.push(Meeting { position: position as u32, first });
                break;
            }
            place = (place + 1) & mask;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn each_record_meets_the_first_with_its_context(
            contexts in prop::collection::vec(prop_oneof![0u64..20, any::<u64>().prop_map(|hash| hash & (3 << 62))], 0..300),
            threads in 1usize..5,
        ) {
            let mut seen = HashMap::new();
            let mut expected = Vec::new();
            for (position, context) in contexts.iter().enumerate().filter(|(_, context)| **context != 0) {
                match seen.get(context) {
                    Some(&first) => expected.push(Meeting { position: position as u32, first }),
                    None => { seen.insert(context, position as u32); }
                }
            }
            prop_assert_eq!(meetings(&contexts, threads), expected);
        }
    }
}
