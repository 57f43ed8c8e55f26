//! What the system asks of the program: to stop for a while, to go on, to end.

/// What a shell asks of a program it started.
pub(super) enum Job {
    /// To stop for a while.
    Stop,
    /// To go on.
    Continue,
}

/// Requests to stop and go on, where the system has them.
pub(super) struct Jobs {
    #[cfg(unix)]
    signals: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Jobs {
    #[cfg(unix)]
    pub(super) fn new() -> Jobs {
        use rustix::process::Signal;
        use tokio::signal::unix::{SignalKind, signal};
        let listen = |kind: Signal| signal(SignalKind::from_raw(kind.as_raw()));
        let signals = listen(Signal::TSTP).and_then(|stop| Ok([stop, listen(Signal::CONT)?]));
        Jobs { signals: signals.ok() }
    }

    #[cfg(not(unix))]
    pub(super) fn new() -> Jobs {
        Jobs {}
    }

    pub(super) async fn next(&mut self) -> Job {
        #[cfg(unix)]
        if let Some([stop, go_on]) = &mut self.signals {
            return tokio::select! {
                _ = stop.recv() => Job::Stop,
                _ = go_on.recv() => Job::Continue,
            };
        }
        std::future::pending().await
    }
}

/// Resolves when the system asks the process to end (Ctrl-C from elsewhere, SIGTERM, SIGHUP).
pub(super) async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (Ok(mut term), Ok(mut hangup)) = (signal(SignalKind::terminate()), signal(SignalKind::hangup())) else {
            return std::future::pending().await;
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = term.recv() => {}
            _ = hangup.recv() => {}
        }
    }
    #[cfg(not(unix))]
    {
        // Without a handler nothing can be waited for; Ctrl-C as a key still works.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
