//! What one attempt has to deliver: chunks of its log and its outcome, kept until the server has them.
//!
//! This is the part that a journal on disk replaces; [`Outbox`] is all that the dispatcher knows of it. The memory it
//! takes is bounded at the other end: a chunk carries its share of a budget, and the container's pipe waits while the
//! budget is spent.

use std::collections::VecDeque;

use protocol::log::LogChunk;
use protocol::outcome::Outcome;
use tokio::sync::OwnedSemaphorePermit;

/// A chunk and its share of the attempt's budget, given back when the chunk is delivered.
#[derive(Debug)]
pub struct Parcel {
    pub chunk: LogChunk,
    pub budget: OwnedSemaphorePermit,
}

pub trait Outbox: Send {
    /// Keeps the next chunk. Chunks come in the order of their numbers.
    fn push(&mut self, parcel: Parcel);

    /// Forgets every chunk below `next_seq`.
    fn acknowledge(&mut self, next_seq: u64) -> Acknowledged;

    /// What is not acknowledged, in order.
    fn pending(&self) -> Box<dyn Iterator<Item = &LogChunk> + '_>;

    /// How many chunks there were in all.
    fn chunks(&self) -> u64;

    fn set_outcome(&mut self, outcome: Outcome);

    fn outcome(&self) -> Option<&Outcome>;
}

/// What an acknowledgement says beside its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledged {
    /// Chunks were delivered.
    Progress,
    /// The same number again: the server waits for a chunk that it did not get.
    Repeated,
    /// A number from the past, or one that was never sent; it means nothing.
    Ignored,
}

#[derive(Debug, Default)]
pub struct MemoryOutbox {
    pending: VecDeque<Parcel>,
    /// The number that the next chunk gets.
    chunks: u64,
    /// Everything below is delivered.
    acknowledged: u64,
    outcome: Option<Outcome>,
}

impl Outbox for MemoryOutbox {
    fn push(&mut self, parcel: Parcel) {
        self.chunks = parcel.chunk.seq + 1;
        self.pending.push_back(parcel);
    }

    fn acknowledge(&mut self, next_seq: u64) -> Acknowledged {
        if next_seq > self.chunks || next_seq < self.acknowledged {
            return Acknowledged::Ignored;
        }
        if next_seq == self.acknowledged {
            return Acknowledged::Repeated;
        }
        while self
            .pending
            .front()
            .is_some_and(|parcel| parcel.chunk.seq < next_seq)
        {
            self.pending.pop_front();
        }
        self.acknowledged = next_seq;
        Acknowledged::Progress
    }

    fn pending(&self) -> Box<dyn Iterator<Item = &LogChunk> + '_> {
        Box::new(self.pending.iter().map(|parcel| &parcel.chunk))
    }

    fn chunks(&self) -> u64 {
        self.chunks
    }

    fn set_outcome(&mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.outcome.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;
    use protocol::log::LogStream;
    use protocol::time::UnixMs;
    use tokio::sync::Semaphore;

    use super::*;

    fn parcel(seq: u64, budget: &Arc<Semaphore>) -> Parcel {
        Parcel {
            chunk: LogChunk {
                seq,
                stream: LogStream::Stdout,
                at: UnixMs(0),
                data: b"x".to_vec(),
            },
            budget: Arc::clone(budget).try_acquire_owned().unwrap(),
        }
    }

    fn pending(outbox: &MemoryOutbox) -> Vec<u64> {
        outbox.pending().map(|chunk| chunk.seq).collect()
    }

    #[test]
    fn a_delivered_chunk_gives_its_budget_back() {
        let budget = Arc::new(Semaphore::new(3));
        let mut outbox = MemoryOutbox::default();
        for seq in 0..3 {
            outbox.push(parcel(seq, &budget));
        }
        assert_eq!(budget.available_permits(), 0);
        assert_eq!(outbox.acknowledge(2), Acknowledged::Progress);
        assert_eq!(budget.available_permits(), 2);
        assert_eq!(pending(&outbox), [2]);
        assert_eq!(outbox.chunks(), 3);
    }

    #[test]
    fn a_repeated_number_asks_again_and_a_strange_one_means_nothing() {
        let budget = Arc::new(Semaphore::new(3));
        let mut outbox = MemoryOutbox::default();
        outbox.push(parcel(0, &budget));
        outbox.push(parcel(1, &budget));
        assert_eq!(outbox.acknowledge(0), Acknowledged::Repeated);
        assert_eq!(outbox.acknowledge(1), Acknowledged::Progress);
        assert_eq!(outbox.acknowledge(0), Acknowledged::Ignored);
        assert_eq!(outbox.acknowledge(9), Acknowledged::Ignored);
        assert_eq!(pending(&outbox), [1]);
    }

    proptest! {
        #[test]
        fn exactly_what_is_not_acknowledged_is_pending(
            count in 0_u64..20,
            numbers in proptest::collection::vec(0_u64..25, 0..20),
        ) {
            let budget = Arc::new(Semaphore::new(20));
            let mut outbox = MemoryOutbox::default();
            for seq in 0..count {
                outbox.push(parcel(seq, &budget));
            }
            let mut delivered = 0;
            for number in numbers {
                outbox.acknowledge(number);
                if number <= count {
                    delivered = delivered.max(number);
                }
                prop_assert_eq!(pending(&outbox), (delivered..count).collect::<Vec<_>>());
            }
        }
    }
}
