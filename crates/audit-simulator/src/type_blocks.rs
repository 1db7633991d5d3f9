//! The number of events of each type in each block of the archive, so that a filter by type
//! skips the blocks without its types.

/// Events per block.
pub(crate) const BLOCK: usize = 1024;

/// Counts per type and block. The archive says which type lies at which position.
pub(crate) struct TypeBlocks {
    counts: Vec<Vec<u16>>,
    blocks: usize,
}

impl TypeBlocks {
    pub(crate) fn new(types: usize) -> Self {
        Self {
            counts: vec![Vec::new(); types],
            blocks: 0,
        }
    }

    /// Adds counts of 0 for more types.
    pub(crate) fn grow_types(&mut self, types: usize) {
        self.counts.resize(types, vec![0; self.blocks]);
    }

    fn push(&mut self, position: usize, event_type: usize) {
        let block = position / BLOCK;
        if block >= self.blocks {
            self.resize(block + 1);
        }
        self.counts[event_type][block] += 1;
    }

    /// Counts again from `block` on; `types` are the types of the events from the first
    /// position of `block` on.
    pub(crate) fn rebuild(&mut self, block: usize, types: impl Iterator<Item = usize>) {
        self.resize(block);
        for (offset, event_type) in types.enumerate() {
            self.push(block * BLOCK + offset, event_type);
        }
    }

    /// Returns the number of events in `block` whose type is one of `types`.
    pub(crate) fn count(&self, types: &[usize], block: usize) -> usize {
        types
            .iter()
            .filter_map(|event_type| self.counts[*event_type].get(block))
            .map(|count| usize::from(*count))
            .sum()
    }

    fn resize(&mut self, blocks: usize) {
        for counts in &mut self.counts {
            counts.resize(blocks, 0);
        }
        self.blocks = blocks;
    }
}
