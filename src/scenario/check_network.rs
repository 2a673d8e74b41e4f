//! What can be wrong with `[network]`: names, tables, pairs and files.

use super::network::{NetworkSpec, Places};
use super::resolve::Checker;
use crate::error::Error;
use crate::net::TransportKind;

/// More sites than this do not fit a table of pairs.
const MOST_SITES: usize = 10_000;

impl Checker<'_> {
    /// The sites, if they can be worked out.
    pub(super) fn network(&mut self) -> Result<Option<Places>, Error> {
        let network = &self.file.network;
        let before = self.problems.len();
        self.law("network.jitter", &network.jitter);
        self.probability("network.loss", network.loss);
        if let TransportKind::Poll { interval } = network.transport {
            self.some_time("network.transport.poll.interval", interval);
            if self.file.relays.count == 0 {
                let message = "polling needs a relay, but there is none";
                self.refuse("network.transport", message, "set relays.count to 1 or more");
            }
        }
        self.site_names(network);
        let sites = network.sites.len().max(1);
        if !network.latency.is_empty() {
            let square =
                network.latency.len() == sites && network.latency.iter().all(|row| row.len() == sites);
            if !square {
                let widths: Vec<String> = network.latency.iter().map(|row| row.len().to_string()).collect();
                let message = format!(
                    "{sites} sites need a table of {sites} rows of {sites}, but there are {} of {}",
                    network.latency.len(),
                    widths.join(", ")
                );
                self.refuse("network.latency", message, "one row a site, one column a site");
            }
        }
        for key in network.pairs.keys() {
            if NetworkSpec::pair(&network.sites, key).is_none() {
                let message = format!("`{key}` does not name two sites");
                let remedy = format!("write \"one-other\" with two of: {}", network.sites.join(", "));
                self.refuse(&format!("network.pairs.{key}"), message, remedy);
            }
        }
        let ways = [
            ("network.matrix", network.matrix.is_some()),
            ("network.latency", !network.latency.is_empty()),
            ("network.pairs", !network.pairs.is_empty()),
        ];
        let given: Vec<&str> = ways.iter().filter(|way| way.1).map(|way| way.0).collect();
        if let [first, second, ..] = given[..] {
            self.refuse(second, format!("`{first}` says the latencies already"), "delete one of the two");
        }
        if self.problems.len() > before || !self.intact("network") {
            return Ok(None);
        }
        let places = match network.places(self.folder) {
            Ok(places) => places,
            Err(error) => return self.found_in_file("network.matrix.file", error).map(|()| None),
        };
        if places.weights.len() != places.sites.len() || network.sites.len() > places.sites.len() {
            let message = format!(
                "there are {} sites, {} names and {} weights",
                places.sites.len(),
                network.sites.len(),
                places.weights.len()
            );
            self.refuse("network.weights", message, "one name and one weight a site");
            return Ok(None);
        }
        Ok(Some(places))
    }

    fn site_names(&mut self, network: &NetworkSpec) {
        if network.sites.len() > MOST_SITES {
            self.refuse("network.sites", format!("{} sites are too many", network.sites.len()), "join some");
            return;
        }
        for (index, name) in network.sites.iter().enumerate() {
            let key = format!("network.sites.{index}");
            if name.is_empty() || network.sites[..index].contains(name) {
                self.refuse(&key, format!("`{name}` is empty or named twice"), "give each site its own name");
            }
        }
        let sites = network.sites.len().max(1);
        if !network.weights.is_empty() && network.matrix.is_none() && network.weights.len() != sites {
            let message = format!("there are {} weights for {sites} sites", network.weights.len());
            self.refuse("network.weights", message, "one weight a site");
        }
        for (index, weight) in network.weights.iter().enumerate() {
            self.positive(&format!("network.weights.{index}"), *weight);
        }
    }
}
