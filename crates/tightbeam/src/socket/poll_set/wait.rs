//! The waits of a `Poller`.

use super::super::descriptor::{Found, look_at};
use super::*;

impl Poller {
    /// Waits until something in the set is ready, at most so long (`None`: for ever), and answers what.
    ///
    /// # Errors
    /// [`Error::WouldBlock`] when the time is over (`EAGAIN`); [`Error::NothingToWaitFor`] if it would
    /// wait for ever for an empty set, or for nothing of what is in it (`EFAULT`);
    /// [`Error::Interrupted`] by a signal; [`Error::Terminated`], [`Error::Closed`] and
    /// [`Error::Forked`] if a socket is; a closed one has then left the set. [`Error::Io`] if the system
    /// is out of memory.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<PollEvent> {
        let found = self.wait_all(1, timeout)?;
        found.first().copied().ok_or(Error::WouldBlock("nothing is ready"))
    }

    /// The same for up to `most` events at once, at least one.
    ///
    /// # Errors
    /// As [`wait`](Poller::wait); [`Error::BadArgument`] if `most` is 0.
    pub fn wait_all(&mut self, most: usize, timeout: Option<Duration>) -> Result<&[PollEvent]> {
        if most == 0 {
            return Err(Error::BadArgument("a wait needs room for one event at least"));
        }
        if timeout.is_none() && !self.has_waker && !self.wants_anything() {
            return Err(Error::NothingToWaitFor);
        }
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        self.ask_now_and_then();
        let mut over = false;
        loop {
            self.gather(most)?;
            if !self.found.is_empty() {
                break;
            }
            if over {
                return Err(Error::WouldBlock("nothing became ready in time"));
            }
            over = !self.sleep(deadline)?;
        }
        Ok(&self.found)
    }

    fn wants_anything(&self) -> bool {
        self.items.values().any(|item| item.wanted.is_anything())
    }

    /// Looks at what may be ready, those that were found last coming last.
    fn gather(&mut self, most: usize) -> Result<()> {
        self.found.clear();
        self.inbox.take(&mut self.told, &mut self.called);
        while let Some(number) = self.told.pop() {
            self.list(id_of(number));
        }
        while self.found.len() < most
            && let Some(key) = self.called.pop()
        {
            self.found.push(PollEvent::new(key, Found::default()));
        }
        for _ in 0..self.candidates.len() {
            if self.found.len() == most {
                return Ok(());
            }
            let Some(id) = self.candidates.pop_front() else { return Ok(()) };
            let Some(item) = self.items.get_mut(id) else { continue };
            match item.look() {
                Ok(event) => {
                    item.listed = event.is_some() || item.is_heard_by_looking();
                    if item.listed {
                        self.candidates.push_back(id);
                    }
                    self.found.extend(event);
                }
                Err(error) => {
                    self.candidates.push_front(id);
                    if !self.found.is_empty() {
                        // The next wait says so: what was found would be lost.
                        return Ok(());
                    }
                    if matches!(error, Error::Closed) {
                        self.drop_item(id);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }

    /// Sockets that callers have claimed are heard of by nobody but who asks.
    fn ask_now_and_then(&mut self) {
        self.unasked += 1;
        if self.unasked < ASK_AFTER || self.sockets.len() > DRIVEN {
            return;
        }
        self.unasked = 0;
        for item in self.items.values() {
            if let Target::Socket { core, .. } = &item.target {
                core.glance();
            }
        }
    }

    /// Sleeps until something may have changed. False if the time is over.
    fn sleep(&mut self, deadline: Option<Instant>) -> Result<bool> {
        flush::all_of_this_thread();
        self.unasked = 0;
        if !self.inbox.fall_asleep() {
            return Ok(true);
        }
        let slept = self.drive(deadline);
        self.inbox.wake_up();
        let (found, in_poll) = slept?;
        if in_poll {
            self.take_descriptors();
        }
        Ok(found)
    }

    /// Drives the sockets and waits for news. Answers whether there may be any, and whether the
    /// poller's own poll has some.
    fn drive(&self, deadline: Option<Instant>) -> Result<(bool, bool)> {
        let few = self.sockets.len() <= DRIVEN;
        let sockets = self.items.values().filter(|_| few).filter_map(Item::core);
        let mut seats: Vec<Driver<'_>> = sockets.filter_map(|core| core.try_to_drive()).collect();
        let mut unfinished = false;
        for seat in &mut seats {
            unfinished |= seat.work_off();
        }
        let mut polled = vec![PollFd::new(self.poll.as_raw_fd(), PollFd::IN)];
        polled.extend(seats.iter().map(|seat| PollFd::new(seat.poll_fd(), PollFd::IN)));
        let timeout = if unfinished { Some(Duration::ZERO) } else { remaining(deadline) };
        let found = linger::poll(&mut polled, timeout, None).map_err(interrupted)?;
        for (seat, polled) in seats.iter_mut().zip(&polled[1..]) {
            if polled.revents() != 0 {
                seat.poll_now();
            }
        }
        Ok((found > 0 || unfinished, polled[0].revents() != 0))
    }
}

impl Poller {
    /// Puts the descriptors that the system has told of on the list.
    fn take_descriptors(&mut self) {
        // Never fails: it does not wait, and the descriptor is open.
        if self.poll.poll(&mut self.events, Some(Duration::ZERO)).is_ok() {
            let tokens = self.events.iter().map(|event| event.token());
            self.told.extend(tokens.filter(|token| *token != INBOX).map(|token| token.0 as u64));
        }
    }
}

impl Item {
    fn core(&self) -> Option<&Core> {
        match &self.target {
            Target::Socket { core, .. } => Some(core),
            Target::Descriptor { .. } => None,
        }
    }

    fn is_heard_by_looking(&self) -> bool {
        matches!(self.target, Target::Descriptor { heard: Heard::ByLooking, .. })
    }

    /// What of the wanted is possible now; none is nothing.
    fn look(&self) -> Result<Option<PollEvent>> {
        let found = match &self.target {
            Target::Socket { core, watch, .. } => core.look_for(watch, self.wanted.ready)?.into(),
            Target::Descriptor { heard: Heard::Not, .. } => return Ok(None),
            Target::Descriptor { fd, .. } => look_at(*fd, self.wanted)?,
        };
        Ok(found.is_anything().then(|| PollEvent::new(self.key, found)))
    }
}
