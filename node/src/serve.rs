//! `parsenode serve`: starts every part, waits for the signal, stops every part.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use config::{CommitmentAnswers, Config};
use domain::{Destination, Durability, Limits, Moment, Rule, Waits};
use scp::{Doors, ScpCounters, ScpSettings, SecureDoor};
use scu::Timeouts;
use spool::Spool;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::ahead::{Ahead, AheadAnswers, AheadWorker};
use crate::assembling::Assembling;
use crate::bell::Bell;
use crate::cli::ServeArgs;
use crate::clock;
use crate::commitments::LedgerCommitments;
use crate::committing::Committing;
use crate::delivering::Delivering;
use crate::descriptors;
use crate::failure::{Failure, Fault, OrFail};
use crate::http::{self, Watched};
use crate::jobs::{self, Worker};
use crate::models::{self, Models};
use crate::receive::{Arrival, SpoolIntake};
use crate::reporting::Reporting;
use crate::security::{Hangup, Security};
use crate::settings;
use crate::shutdown;

/// How often certificates are looked at for what expires.
const EXPIRY_EVERY: Duration = Duration::from_secs(86_400);
/// How often finished work is looked through for what may be removed.
const PURGE_EVERY: Duration = Duration::from_secs(600);

/// How long threads that answer for tasks may take to end when everything else has ended: they finish what somebody asked for that is
/// gone, and whatever they were to write is on stable storage or was not acknowledged.
const THREADS_WAIT: Duration = Duration::from_secs(1);

/// What the parts share.
struct Node {
    config: Config,
    models: Arc<Models>,
    security: Security,
    spool: Arc<Spool>,
    counters: Arc<ScpCounters>,
    jobs: Arc<Bell>,
    ahead: Arc<AheadAnswers>,
    working: Arc<AtomicUsize>,
    deliveries: Arc<Notify>,
    commitments: Arc<LedgerCommitments>,
    stopping: Arc<AtomicBool>,
}

/// Runs the command.
pub(crate) fn run(args: &ServeArgs) -> Result<(), Failure> {
    descriptors::take_what_is_allowed();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("parsenode-net")
        .build()
        .or_fail(Fault::Internal, || "tokio")?;
    // Before anything that takes long: models are loaded for seconds, and who asks for new files then must not end the node.
    let hangup = runtime.block_on(async { Hangup::listen() })?;
    let node = Node::open(settings::load(&args.config)?)?;
    runtime.block_on(node.serve(hangup))?;
    runtime.shutdown_timeout(THREADS_WAIT);
    tracing::info!("stopped");
    Ok(())
}

impl Node {
    /// Everything that can be wrong is found here, before a port is taken.
    fn open(config: Config) -> Result<Self, Failure> {
        let security = Security::open(&config)?;
        let models = Arc::new(models::load_all(&config, &models::kept(&config))?);
        let spool = open_spool(&config)?;
        let ahead = Arc::new(AheadAnswers::new(config.inference.ahead_bytes_max));
        let (spool, deliveries) = (Arc::new(spool), Arc::<Notify>::default());
        let commitments = Arc::new(LedgerCommitments {
            spool: Arc::clone(&spool),
            wanted: Arc::new(config.commitment.wanted.clone()),
            is_answered: config.commitment.answers != CommitmentAnswers::None,
            limits: config.limits.clone(),
            deliveries: Arc::clone(&deliveries),
            reports: Arc::default(),
        });
        Ok(Self {
            config,
            models,
            security,
            ahead,
            working: Arc::default(),
            spool,
            counters: Arc::default(),
            jobs: Arc::default(),
            deliveries,
            commitments,
            stopping: Arc::default(),
        })
    }

    async fn serve(mut self, hangup: Hangup) -> Result<(), Failure> {
        let doors = self.doors().await?;
        let http = self.bind_http().await?;
        let (stop, stopped) = watch::channel(false);
        let (arrivals, threads) = self.start_threads();
        let (to_ask, delivering) = (Arc::default(), self.delivering());
        let delivering = Delivering { commitments: Arc::clone(&to_ask), ..delivering };
        let mut tasks = JoinSet::new();
        tasks.spawn(delivering.run(stopped.clone()));
        tasks.spawn(self.committing(to_ask).run(stopped.clone()));
        if let Some(reporting) = self.reporting() {
            tasks.spawn(reporting.run(stopped.clone()));
        }
        tasks.spawn(purge(Arc::clone(&self.spool), self.config.keep, stopped.clone()));
        self.watch_security(hangup, &stopped);
        if let Some((listener, watched)) = http {
            tokio::spawn(http::serve(listener, watched, stopped));
        }
        let (listen, secure) = (&self.config.node.listen, &self.config.security.tls.listen);
        tracing::info!(ae_title = %self.config.node.ae_title, listen, secure, "ready");

        let stopping = Arc::clone(&self.stopping);
        let signalled_at = Arc::new(OnceLock::new());
        let at = Arc::clone(&signalled_at);
        let signalled = async move {
            shutdown::signal().await;
            tracing::info!("stopping");
            at.get_or_init(clock::now);
            stopping.store(true, Ordering::Release);
            // Nobody listens only when every part has ended already.
            stop.send_replace(true);
        };
        let commitments = Arc::clone(&self.commitments);
        let intake = SpoolIntake::new(Arc::clone(&self.spool), arrivals.clone(), commitments);
        let intake = Arc::new(intake);
        let counters = Arc::clone(&self.counters);
        scp::serve(doors, Arc::new(self.scp_settings()), intake, counters, signalled).await;
        drop(arrivals.send(Arrival::Stop));
        self.jobs.ring();
        let spent = clock::now().since(*signalled_at.get_or_init(clock::now));
        Self::join(threads, tasks, self.limits().shutdown_grace.saturating_sub(spent)).await;
        Ok(())
    }

    fn limits(&self) -> &Limits {
        &self.config.limits
    }

    fn scp_settings(&self) -> ScpSettings {
        let receive = &self.config.receive;
        ScpSettings {
            called: receive.called.clone(),
            calling: receive.calling.clone(),
            peers: self.config.security.peers.clone(),
            everyone: self.config.security.everyone.clone(),
            identities: Some(Arc::clone(&self.security.identities)),
            limits: self.limits().clone(),
        }
    }

    /// The ports, plain and secure.
    async fn doors(&self) -> Result<Doors, Failure> {
        let plain = match &self.config.node.listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let secure = match (&self.config.security.tls.listen, &self.security.tls) {
            (Some(address), Some(tls)) => {
                Some(SecureDoor { listener: bind(address).await?, tls: tls.clone() })
            }
            (Some(_) | None, None) | (None, Some(_)) => None,
        };
        Ok(Doors { plain, secure })
    }

    /// Says what is unwise, and from now on what expires; reads files again when they change.
    fn watch_security(&mut self, hangup: Hangup, stopped: &watch::Receiver<bool>) {
        for warning in &self.config.security.warnings {
            tracing::warn!("{warning}");
        }
        let expiring = self.security.expiring.clone();
        let again = expiring.clone();
        let reloading = std::mem::take(&mut self.security.reloading);
        tokio::spawn(reloading.run(hangup, stopped.clone(), move || again.warn(clock::now())));
        tokio::spawn(async move {
            loop {
                expiring.warn(clock::now());
                tokio::time::sleep(EXPIRY_EVERY).await;
            }
        });
    }

    fn start_threads(&self) -> (Sender<Arrival>, Vec<JoinHandle<()>>) {
        let (arrivals, receiver) = mpsc::channel();
        let (ahead, working_ahead) = self.start_ahead().unzip();
        let mut threads: Vec<JoinHandle<()>> = working_ahead.into_iter().collect();
        let assembling = Assembling {
            spool: Arc::clone(&self.spool),
            routing: self.config.routing.clone(),
            limits: self.limits().clone(),
            waits: Waits {
                quiet: self.config.receive.series_quiet,
                release_quiet: self.config.receive.release_quiet,
                association_wait: self.limits().association_wait,
            },
            ahead,
            jobs: Arc::clone(&self.jobs),
        };
        threads.push(thread::spawn(move || assembling.run(&receiver)));
        for _ in 0..self.config.inference.workers {
            let worker = self.worker();
            threads.push(thread::spawn(move || worker.run()));
        }
        (arrivals, threads)
    }

    /// Nobody works ahead where no rule has a model that is asked, or there is no room for answers.
    fn start_ahead(&self) -> Option<(Ahead, JoinHandle<()>)> {
        let is_asked = |rule: &Rule| !rule.ask.is_empty();
        if !self.ahead.is_wanted() || !self.config.routing.rules.iter().any(is_asked) {
            return None;
        }
        let (ahead, words) = Ahead::new(&self.ahead);
        let worker = AheadWorker {
            models: Arc::clone(&self.models),
            routing: self.config.routing.clone(),
            wishes: Arc::new(self.config.wishes.clone()),
            limits: self.limits().clone(),
            answers: Arc::clone(&self.ahead),
            working: Arc::clone(&self.working),
            stopping: Arc::clone(&self.stopping),
        };
        Some((ahead, thread::spawn(move || worker.run(&words))))
    }

    fn worker(&self) -> Worker {
        Worker {
            spool: Arc::clone(&self.spool),
            models: Arc::clone(&self.models),
            device: settings::device(&self.config),
            wishes: Arc::new(self.config.wishes.clone()),
            limits: self.limits().clone(),
            jobs: Arc::clone(&self.jobs),
            ahead: Arc::clone(&self.ahead),
            working: Arc::clone(&self.working),
            deliveries: Arc::clone(&self.deliveries),
            stopping: Arc::clone(&self.stopping),
            try_again: jobs::TRY_AGAIN,
        }
    }

    fn delivering(&self) -> Delivering {
        let named = self.config.destinations.iter().map(|to| (to.name.clone(), to.clone()));
        Delivering {
            spool: Arc::clone(&self.spool),
            destinations: Arc::new(named.collect()),
            security: Arc::clone(&self.security.destinations),
            wishes: Arc::new(self.config.wishes.clone()),
            backoff: self.config.backoff,
            timeouts: self.timeouts(),
            wake: Arc::clone(&self.deliveries),
            to_commit: Arc::clone(&self.commitments.wanted),
            commitments: Arc::default(),
        }
    }

    fn timeouts(&self) -> Timeouts {
        Timeouts { connect: self.config.deliver.connect_timeout, io: self.config.deliver.timeout }
    }

    fn committing(&self, wake: Arc<Notify>) -> Committing {
        Committing {
            commitments: Arc::clone(&self.commitments),
            security: Arc::clone(&self.security.commitments),
            ask_again: self.config.commitment.ask_again,
            wait: self.config.commitment.wait,
            timeouts: self.timeouts(),
            wake,
        }
    }

    /// Who reports to peers that asked us, if they may ask.
    fn reporting(&self) -> Option<Reporting> {
        let CommitmentAnswers::ReportTo(peers) = &self.config.commitment.answers else {
            return None;
        };
        // Peers that are destinations are reached as these are; the others plainly.
        let security = |to: &Destination| {
            let is_destination = self.config.destinations.contains(to);
            is_destination.then(|| self.security.destinations.get(&to.name).cloned()).flatten()
        };
        let peers = peers.iter().map(|to| (to.clone(), security(to))).collect();
        Some(Reporting {
            spool: Arc::clone(&self.spool),
            peers: Arc::new(peers),
            backoff: self.config.backoff,
            timeouts: self.timeouts(),
            wake: Arc::clone(&self.commitments.reports),
        })
    }

    /// The HTTP port is taken before any work begins, so that a port in use is a failure of the start.
    async fn bind_http(&self) -> Result<Option<(TcpListener, Watched)>, Failure> {
        let Some(address) = &self.config.node.http else { return Ok(None) };
        let listener = bind(address).await?;
        let (spool, counters) = (Arc::clone(&self.spool), Arc::clone(&self.counters));
        let (ahead, stopping) = (Arc::clone(&self.ahead), Arc::clone(&self.stopping));
        let expiring = self.security.expiring.clone();
        Ok(Some((listener, Watched::new(spool, counters, ahead, stopping, expiring)?)))
    }

    /// Waits for work in hand, at most what associations left of the grace. What is not done by then is done at the
    /// next start.
    async fn join(threads: Vec<JoinHandle<()>>, mut tasks: JoinSet<()>, grace: Duration) {
        let join_all = move || threads.into_iter().for_each(|thread| drop(thread.join()));
        let joining = async {
            while tasks.join_next().await.is_some() {}
            drop(tokio::task::spawn_blocking(join_all).await);
        };
        if tokio::time::timeout(grace, joining).await.is_err() {
            tracing::warn!("work in hand is left for the next start");
            // Threads in the middle of an inference cannot be interrupted; the ledger does not need them to end.
            shutdown::leave();
        }
    }
}

/// The spool, brought in order with what the configuration says.
fn open_spool(config: &Config) -> Result<Spool, Failure> {
    let (folder, durability) = (&config.node.data, config.receive.durability);
    let on = || folder.display().to_string();
    let (spool, recovery) = Spool::open(folder, &config.limits, durability, Arc::new(clock::now))
        .or_fail(Fault::Disk, on)?;
    tracing::info!(data = %on(), durability = durability.as_str(), ?recovery, "spool open");
    if durability == Durability::Cache {
        tracing::warn!("instances are acknowledged before they are safe from loss of power");
    }
    if config.commitment.answers == CommitmentAnswers::None {
        let reason = "the configuration says answer = false";
        let given_up = spool.give_up_reports(reason, clock::now()).or_fail(Fault::Disk, on)?;
        if given_up > 0 {
            tracing::warn!(given_up, reason, "commitment reports given up");
        }
    }
    Ok(spool)
}

async fn bind(address: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address)
        .await
        .or_fail(Fault::Unavailable, || format!("cannot listen on {address}"))
}

/// Removes what has been finished for longer than `keep`.
async fn purge(spool: Arc<Spool>, keep: Duration, mut stopped: watch::Receiver<bool>) {
    loop {
        let older_than = before(clock::now(), keep);
        let (spool, stop) = (Arc::clone(&spool), stopped.clone());
        let purging = move || spool.purge_until(older_than, || *stop.borrow());
        match tokio::task::spawn_blocking(purging).await {
            Ok(Ok(purged)) if purged.instances > 0 => {
                tracing::info!(
                    instances = purged.instances,
                    bytes = purged.bytes,
                    "finished work removed"
                );
            }
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "finished work cannot be removed"),
            Err(error) => tracing::error!(%error, "finished work cannot be removed"),
        }
        tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(PURGE_EVERY) => {}
        }
    }
}

fn before(now: Moment, span: Duration) -> Moment {
    let millis = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Moment::from_unix_millis(now.unix_millis().saturating_sub(millis))
}
