//! The results of a run.

use test_support::instruction_counts::Count;

use super::{
    accounts::Accounts,
    backlog::Backlog,
    catch_up::{BesideLoop, CatchUp},
    counting::Counting,
    footprint::Footprint,
    hour::Look,
    peers::OURS,
    polling::Polling,
    scrape::Encoding,
    scrapes::{Cell, Measured},
};

#[derive(Debug, Default)]
pub(crate) struct Results {
    pub(crate) cells: Vec<Cell>,
    pub(crate) footprints: Vec<Footprint>,
    pub(crate) catch_ups: Vec<CatchUp>,
    pub(crate) backlogs: Vec<Backlog>,
    pub(crate) counting: Option<Counting>,
    pub(crate) polls: Vec<Polling>,
    pub(crate) instructions: Vec<Count>,
    pub(crate) accounts: Option<Accounts>,
    pub(crate) hour: Vec<Look>,
    pub(crate) beside_loop: Option<BesideLoop>,
}

/// The cost of a scrape of the exporter with a number of series.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) series: usize,
    pub(crate) bytes: usize,
    /// The processor time.
    pub(crate) microseconds: f64,
}

impl Results {
    /// Returns the measurement of a cell, if there is one.
    pub(crate) fn measured(
        &self,
        name: &str,
        series: usize,
        encoding: Encoding,
        connections: u32,
    ) -> Option<Measured> {
        self.cell(name, series, encoding, connections)?.measured()
    }

    pub(crate) fn cell(
        &self,
        name: &str,
        series: usize,
        encoding: Encoding,
        connections: u32,
    ) -> Option<&Cell> {
        self.cells.iter().find(|cell| {
            cell.name == name
                && (cell.series, cell.encoding, cell.connections) == (series, encoding, connections)
        })
    }

    pub(crate) fn footprint(&self, name: &str) -> Option<&Footprint> {
        self.footprints
            .iter()
            .find(|footprint| footprint.name == name)
    }

    /// Returns the cost of a scrape of the exporter, from the fewest series to the
    /// most, with the fewest connections that were measured.
    pub(crate) fn growth(&self) -> Vec<Cost> {
        self.growth_of(OURS)
    }

    pub(crate) fn growth_of(&self, name: &str) -> Vec<Cost> {
        let least = self.cells.iter().map(|cell| cell.connections).min();
        let cells = self.cells.iter().filter(|cell| {
            cell.name == name
                && cell.encoding == Encoding::Identity
                && Some(cell.connections) == least
        });
        let mut costs: Vec<Cost> = cells
            .filter_map(|cell| {
                let measured = cell.measured()?;
                Some(Cost {
                    series: cell.series,
                    bytes: cell.bytes,
                    // Seconds for a thousand scrapes are milliseconds for one.
                    microseconds: measured.processor_seconds * 1e3,
                })
            })
            .collect();
        costs.sort_by_key(|cost| cost.series);
        costs
    }
}
