//! NeXosim on one thread with all groups in one model that schedules its own events.

use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::{EventSinkReader, EventSource, Output, SinkState, event_slot};
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use serde::{Deserialize, Serialize};

use super::model::{Event, Groups, Schedule};
use crate::measure::{LeaderWorker, Tally, cpu_s};

#[derive(Serialize, Deserialize)]
struct All {
    model: Groups,
    tally: Output<Tally>,
}

struct Kernel<'a>(&'a Context<All>);

impl Schedule for Kernel<'_> {
    fn after(&mut self, wait_s: f64, event: Event) {
        // An event may not be scheduled for now.
        let wait = Duration::from_nanos(((wait_s * 1e9) as u64).max(1));
        self.0.schedule_event(wait, schedulable!(All::happens), event).expect("a wait is above zero");
    }
}

#[Model]
impl All {
    pub fn begin(&mut self, _: (), cx: &Context<Self>) {
        self.model.begin(&mut Kernel(cx));
    }

    #[nexosim(schedulable)]
    fn happens(&mut self, event: Event, cx: &Context<Self>) {
        let now_s = cx.time().duration_since(MonotonicTime::EPOCH).as_secs_f64();
        self.model.handle(now_s, event, &mut Kernel(cx));
    }

    pub async fn finish(&mut self, _: ()) {
        self.tally.send(self.model.tally).await;
    }
}

pub fn run(plan: &LeaderWorker) -> (Tally, f64) {
    let mut all = All { model: Groups::new(plan), tally: Output::default() };
    let mailbox = Mailbox::new();
    let (sink, mut tally) = event_slot(SinkState::Enabled);
    all.tally.connect_sink(sink);
    let mut bench = SimInit::with_num_threads(1);
    let begin = EventSource::new().connect(All::begin, &mailbox).register(&mut bench);
    let finish = EventSource::new().connect(All::finish, &mailbox).register(&mut bench);
    let bench = bench.add_model(all, mailbox, "all");
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("a bench of one model");
    let start = cpu_s();
    simulation.process_event(&begin, ()).expect("the model is there");
    simulation.run().expect("the model never fails");
    let cpu_s = cpu_s() - start;
    simulation.process_event(&finish, ()).expect("the model is there");
    (tally.try_read().expect("the tally was sent"), cpu_s)
}
