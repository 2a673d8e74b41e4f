//! Sites and the one-way latency between each two of them.

use crate::engine::Span;
use crate::trace::SiteId;

/// A square table of one-way latencies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sites {
    names: Vec<String>,
    one_way: Vec<Span>,
}

impl Sites {
    /// Sites called `names` with `one_way[from][to]`. Panics unless the table is square.
    pub fn new(names: Vec<String>, one_way: Vec<Vec<Span>>) -> Sites {
        assert_eq!(names.len(), one_way.len(), "one row a site");
        assert!(one_way.iter().all(|row| row.len() == names.len()), "one column a site");
        assert!(!names.is_empty(), "there is at least one site");
        Sites { one_way: one_way.into_iter().flatten().collect(), names }
    }
    /// One site, where every message takes `latency`.
    pub fn single(latency: Span) -> Sites {
        Sites::new(vec!["site".to_owned()], vec![vec![latency]])
    }
    /// How many sites there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }
    /// Never: there is at least one site.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
    /// The name of `site`.
    pub fn name(&self, site: SiteId) -> &str {
        &self.names[site.index()]
    }
    /// One-way latency before jitter.
    pub fn latency(&self, from: SiteId, to: SiteId) -> Span {
        self.one_way[from.index() * self.names.len() + to.index()]
    }
}
