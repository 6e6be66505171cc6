//! Answers that are not ready yet: operations may be outstanding, as many as was agreed, and are answered in their order.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use dimse::Response;
use domain::RequestId;

/// What is sent for one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Presentation Context ID of the request.
    pub(crate) context_id: u8,
    /// The response.
    pub(crate) response: Response,
    /// A request for storage commitment that was taken: a report on it is owed.
    pub(crate) owed: Option<RequestId>,
}

impl Answer {
    /// A response, and nothing that follows from it.
    pub(crate) fn new(context_id: u8, response: Response) -> Self {
        Self { context_id, response, owed: None }
    }
}

/// Outstanding answers, the oldest first.
pub(crate) struct Answers<'a> {
    waiting: VecDeque<Pin<Box<dyn Future<Output = Answer> + Send + 'a>>>,
    ready: Vec<Answer>,
    most: usize,
}

impl<'a> Answers<'a> {
    /// None yet, and room for `most`.
    pub(crate) fn new(most: usize) -> Self {
        Self { waiting: VecDeque::new(), ready: Vec::new(), most }
    }

    /// Adds the answer to the newest request.
    pub(crate) fn push(&mut self, answer: impl Future<Output = Answer> + Send + 'a) {
        self.waiting.push_back(Box::pin(answer));
    }

    /// Nothing is outstanding.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.ready.is_empty()
    }

    /// As many as was agreed are outstanding: no further request may be read.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len().saturating_add(self.ready.len()) >= self.most
    }

    /// Waits until the oldest is ready. May be dropped and called again. Never returns when nothing is outstanding.
    pub(crate) async fn wait(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }

    /// Those that are ready, the oldest first, up to one that is not.
    pub(crate) fn take(&mut self) -> Vec<Answer> {
        std::mem::take(&mut self.ready)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while let Some(oldest) = self.waiting.front_mut() {
            let Poll::Ready(answer) = oldest.as_mut().poll(context) else { break };
            self.ready.push(answer);
            self.waiting.pop_front();
        }
        if self.ready.is_empty() { Poll::Pending } else { Poll::Ready(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::sync::oneshot;
    use tokio::time::timeout;

    fn answer(number: u16) -> Answer {
        Answer::new(1, Response::to_echo(number, true))
    }

    fn numbers(answers: &[Answer]) -> Vec<u16> {
        answers.iter().map(|answer| answer.response.message_id).collect()
    }

    #[tokio::test]
    async fn answers_leave_in_the_order_of_their_requests() {
        let mut answers = Answers::new(3);
        let mut senders = Vec::new();
        for number in 0..3 {
            let (send, sent) = oneshot::channel::<()>();
            senders.push(send);
            assert!(!answers.is_full());
            answers.push(async move {
                drop(sent.await);
                answer(number)
            });
        }
        assert!(answers.is_full());
        // The later two are ready first, and wait for the first.
        drop(senders.split_off(1));
        let early = timeout(Duration::from_millis(20), answers.wait()).await;
        assert!(early.is_err() && answers.take().is_empty());
        drop(senders);
        answers.wait().await;
        assert!(answers.is_full(), "ready is not sent");
        assert_eq!(numbers(&answers.take()), [0, 1, 2]);
        assert!(answers.is_empty());
    }
}
