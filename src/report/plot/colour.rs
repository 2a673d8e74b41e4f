//! One colour for each pattern, kind of tax and phase, in all plots.

use crate::experiment::judge::Verdict;
use crate::trace::Phase;

/// Red, green, blue.
pub(super) type Colour = (u8, u8, u8);

pub(super) const INK: Colour = (0x22, 0x22, 0x22);
pub(super) const FAINT: Colour = (0x66, 0x66, 0x66);
pub(super) const GRID: Colour = (0xE2, 0xE2, 0xE2);
pub(super) const SHADE: Colour = (0xF3, 0xEC, 0xDC);
pub(super) const PAPER: Colour = (0xFF, 0xFF, 0xFF);

const BLUE: Colour = (0x00, 0x72, 0xB2);
const SKY: Colour = (0x56, 0xB4, 0xE9);
const GREEN: Colour = (0x00, 0x9E, 0x73);
const YELLOW: Colour = (0xF0, 0xE4, 0x42);
const ORANGE: Colour = (0xE6, 0x9F, 0x00);
const VERMILION: Colour = (0xD5, 0x5E, 0x00);
const PURPLE: Colour = (0xCC, 0x79, 0xA7);
const GREY: Colour = (0x99, 0x99, 0x99);

/// How a pattern is drawn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    pub(super) colour: Colour,
    /// Whether its lines are dashed.
    pub(super) dashed: bool,
}

/// The look of the pattern called `name`, at position `index` of the comparison.
pub(super) fn pattern(name: &str, index: usize) -> Look {
    let solid = |colour| Look { colour, dashed: false };
    let dashed = |colour| Look { colour, dashed: true };
    match name {
        "single" => dashed((0xB5, 0xB5, 0xB5)),
        "independent" => dashed((0x88, 0x88, 0x88)),
        "ideal" => dashed((0x44, 0x44, 0x44)),
        "hierarchical" => solid(BLUE),
        "peer_to_peer" => solid(ORANGE),
        "event_driven" => solid(GREEN),
        "hybrid" => solid(VERMILION),
        // A pattern of another crate.
        _ => solid([PURPLE, SKY, YELLOW][index % 3]),
    }
}

/// The kinds of tax: column, name, colour.
pub(super) const KINDS: [(&str, &str, Colour); 8] = [
    ("tax_search", "search", BLUE),
    ("tax_synchronisation", "synchronisation", SKY),
    ("tax_context", "context", GREEN),
    ("tax_duplication", "duplication", ORANGE),
    ("tax_trust", "trust", YELLOW),
    ("tax_recovery", "recovery", VERMILION),
    ("tax_other", "other", PURPLE),
    ("tax_infrastructure", "infrastructure", GREY),
];

/// Verdicts, their names and colours.
pub(super) const VERDICTS: [(Verdict, &str, Colour); 3] = [
    (Verdict::Pass, "pass", BLUE),
    (Verdict::Fail, "fail", VERMILION),
    (Verdict::Unknown, "unknown", ORANGE),
];

/// The colour of a phase; where a kind of tax has its name, the same as there.
pub(super) fn phase(phase: Phase) -> Colour {
    match phase {
        Phase::Discovery => PURPLE,
        Phase::Assignment => BLUE,
        Phase::Negotiation => ORANGE,
        Phase::Consensus => YELLOW,
        Phase::Synchronisation => SKY,
        Phase::Context => GREEN,
        Phase::Recovery => VERMILION,
    }
}
